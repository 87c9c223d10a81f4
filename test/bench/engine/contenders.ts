import { readFileSync } from 'node:fs';
import { Dockerd } from '../../compat/dockerd.ts';
import type { Subject } from '../../compat/subject.ts';
import { EngineHarness } from '../../engine/engine-harness.ts';
import { processesWith } from '../../helpers/processes.ts';

/** An engine that is measured. */
export interface Contender {
  readonly subject: Subject;
  /** Resident memory of the engine's processes, those for each container among them, but not containers' own. */
  memoryBytes(): number;
  /** The same, before it had anything to do. */
  readonly idleBytes: number;
}

export interface Contenders extends AsyncDisposable {
  readonly machine: Contender;
  readonly dockerd: Contender;
}

/** Both with `busybox:latest`. Their processes are told by their roots, which stand in their command lines. */
export async function openContenders(): Promise<Contenders> {
  await using opening = new AsyncDisposableStack();
  const scope = { teardown: (close: () => unknown) => opening.defer(async () => void (await close())) };
  const machine = await contender(await EngineHarness.open(scope));
  const dockerd = await contender(await Dockerd.open(scope));
  const closing = opening.move();
  return { machine, dockerd, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}

async function contender(subject: Subject): Promise<Contender> {
  const memoryBytes = () =>
    processesWith(subject.directory)
      .map(residentBytes)
      .reduce((sum, bytes) => sum + bytes, 0);
  const idleBytes = memoryBytes();
  await subject.loadBusybox();
  return { subject, memoryBytes, idleBytes };
}

function residentBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}
