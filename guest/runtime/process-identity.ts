import { readFileSync } from 'node:fs';

/** A process that cannot be taken for another: pids are reused, (pid, start time) is not until a reboot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot (proc(5)). */
  readonly startTime: string;
}

/** From one line of /proc/PID/stat; null when it is not one. The name in parentheses may hold anything. */
export function parseStat(line: string): (ProcessIdentity & { readonly state: string }) | null {
  const rest = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const pid = Number.parseInt(line, 10);
  const startTime = rest[19];
  return Number.isNaN(pid) || startTime === undefined ? null : { pid, startTime, state: rest[0]! };
}

/** Null when there is no such process, or only what its parent has not reaped. */
export function identify(pid: number): ProcessIdentity | null {
  try {
    const found = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return found && found.state !== 'Z' && found.state !== 'X' ? found : null;
  } catch {
    return null;
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Sends a signal to this very process; false when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Kills a process group; nothing when there is none of this leader. */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
