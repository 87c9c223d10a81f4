import { readFileSync } from 'node:fs';

/** Processor time that a process has taken, its ended threads included, in ticks of 10 ms; of `/proc/PID/stat`, or its text. */
export function ticksOf(process: number | string): number {
  const stat = typeof process === 'number' ? readFileSync(`/proc/${process}/stat`, 'utf8') : process;
  // utime and stime, proc_pid_stat(5); the name before them may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Resident memory. */
export function residentMiB(pid: number): number {
  const text = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(text ?? 0) / 1024);
}
