import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { OsImageFiles } from '../driver.ts';
import type { Accelerator } from './accelerators.ts';
import { probeArgs } from './args.ts';

/** Hardware takes under a second to get there; what has not by then hangs. */
const probeDeadlineMs = 10_000;

/** What guest/boot/initramfs/init says when it is asked to go no further. */
const reached = 'machine: probe reached userland';

export interface ProbeResult {
  readonly works: boolean;
  readonly detail: string;
}

/** Boots the OS image's kernel to its first program and off again. Only `signal` makes it throw. */
export async function probe({
  emulator,
  osImage,
  accelerator,
  signal,
  deadlineMs = probeDeadlineMs,
}: {
  readonly emulator: string;
  readonly osImage: OsImageFiles;
  readonly accelerator: Accelerator;
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
}): Promise<ProbeResult> {
  signal.throwIfAborted();
  const started = performance.now();
  const child = spawn(emulator, probeArgs(osImage, accelerator), { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString('latin1')).slice(-100_000);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(-10_000);
  });
  const deadline = AbortSignal.timeout(deadlineMs);
  const kill = () => child.kill('SIGKILL');
  const stop = AbortSignal.any([signal, deadline]);
  stop.addEventListener('abort', kill, { once: true });
  try {
    await once(child, 'close');
  } catch (error) {
    return { works: false, detail: (error as Error).message };
  } finally {
    stop.removeEventListener('abort', kill);
  }
  signal.throwIfAborted();
  const ms = Math.round(performance.now() - started);
  if (output.includes(reached)) return { works: true, detail: `in ${ms} ms` };
  if (deadline.aborted) return { works: false, detail: `no sign of life in ${deadlineMs / 1000} s` };
  return { works: false, detail: lastLine(errors) || 'it ended before userland' };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
