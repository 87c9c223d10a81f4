import { readFileSync } from 'node:fs';
import { Dockerd } from '../../compat/dockerd.ts';
import type { Subject } from '../../compat/subject.ts';
import { EngineHarness } from '../../engine/engine-harness.ts';
import { processesWith, withDescendants } from '../../helpers/processes.ts';

/** An engine that is measured. */
export interface Contender {
  readonly subject: Subject;
  /**
   * Memory of the engine's processes and of all that they, their monitors or shims started, but for what runs
   * in containers (`sleep`): what is resident (VmRSS) of those that an engine without containers has, the
   * proportional part (Pss, proc(5)) of the others, which share most of theirs with each other.
   */
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
  const own = new Set(processesWith(subject.directory));
  const memoryBytes = () =>
    withDescendants(processesWith(subject.directory))
      .map((pid) =>
        own.has(pid) ? kibibytes(pid, 'status', 'VmRSS') : kibibytes(pid, 'smaps_rollup', 'Pss'),
      )
      .reduce((sum, size) => sum + 1024 * size, 0);
  const idleBytes = memoryBytes();
  await subject.loadBusybox();
  return { subject, memoryBytes, idleBytes };
}

/** Of a process of the engine; 0 of a container's, or of one that has ended meanwhile. */
function kibibytes(pid: number, file: string, field: string): number {
  try {
    if (readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n') return 0;
    const text = readFileSync(`/proc/${pid}/${file}`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}
