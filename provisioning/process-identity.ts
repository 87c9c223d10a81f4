import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * A process of this computer. A pid alone names whoever has it today, so it goes with the time the process
 * started, in the system's own units: only ever compared for equality. Empty where the system does not say.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

export async function thisProcess(): Promise<ProcessIdentity> {
  return { pid: process.pid, started: (await startOf(process.pid)) ?? '' };
}

/** Whether exactly this process still runs. Zombies, which hold nothing, count as dead. */
export async function isAlive({ pid, started }: ProcessIdentity): Promise<boolean> {
  if (!exists(pid)) return false;
  const now = await startOf(pid);
  return now !== null && (started === '' || now === '' || now === started);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Null when there is no such process. */
async function startOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') return linuxStart(pid);
  if (process.platform === 'win32') return '';
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim().replace(/\W+/g, '-');
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
