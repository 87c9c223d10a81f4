import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A process of this computer. A pid alone names whoever has it today, so it goes with the time the process
 * started, in the system's own units: only ever compared for equality. Empty where the system does not say.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

/** Null when there is no such process. */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  const started = exists(pid) ? await startOf(pid) : null;
  return started === null ? null : { pid, started };
}

/** Whether exactly this process still runs. Zombies, which hold nothing, count as dead. */
export async function isAlive({ pid, started }: ProcessIdentity): Promise<boolean> {
  const now = await identify(pid);
  return now !== null && (started === '' || now.started === '' || now.started === started);
}

/** Resolves with true when the process is gone, with false when `signal` aborted first. No system tells of the end of another's child. */
export async function whenGone(identity: ProcessIdentity, signal: AbortSignal): Promise<boolean> {
  while (await isAlive(identity)) {
    if (signal.aborted) return false;
    await delay(20);
  }
  return true;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function startOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') return linuxStart(pid);
  if (process.platform === 'win32') return '';
  const [{ execFile }, { promisify }] = await Promise.all([
    import('node:child_process'),
    import('node:util'),
  ]);
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim();
  } catch {
    return null;
  }
}

/** proc(5): field 22 of `stat` is the start in clock ticks since boot; fields are counted behind the name's last `)`. */
async function linuxStart(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? null : (fields[19] ?? null);
}
