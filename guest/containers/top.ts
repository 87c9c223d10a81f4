import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidParameter } from '../errors.ts';
import { tryRun } from '../host/exec.ts';

/** Pids of a container's cgroup and of those below it. */
export function cgroupPids(directory: string): number[] {
  const pids = read(join(directory, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  const below = list(directory).flatMap((name) => cgroupPids(join(directory, name)));
  return [...pids, ...below];
}

/** `docker top`: this computer's ps, of the container's processes only. Throws InvalidParameter for bad options. */
export async function top(
  pids: readonly number[],
  psArgs: readonly string[],
): Promise<{ Titles: string[]; Processes: string[][] }> {
  const own = new Set(pids.map(String));
  if (psArgs.length === 0) return { Titles: titles, Processes: pids.flatMap(processRow) };
  const { exitCode, stdout, stderr } = await tryRun('ps', psArgs);
  if (exitCode !== 0) throw new InvalidParameter(`ps: ${stderr.trim().split('\n')[0] ?? exitCode}`);
  const rows = stdout.toString().trimEnd().split('\n');
  const header = rows[0]!.trim().split(/\s+/);
  const at = header.indexOf('PID');
  if (at < 0) throw new InvalidParameter("Couldn't find PID field in ps output");
  return {
    Titles: header,
    Processes: rows
      .slice(1)
      .map((row) => {
        const words = row.trim().split(/\s+/);
        return [...words.slice(0, header.length - 1), words.slice(header.length - 1).join(' ')];
      })
      .filter((row) => own.has(row[at]!)),
  };
}

/** The columns of `ps -ef`, read from /proc: the guest's ps knows neither option. */
const titles = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'];

function processRow(pid: number): string[][] {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === '') return [];
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const command = read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim();
  const uid = /^Uid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? '0';
  const ticks = Number(fields[11]) + Number(fields[12]);
  const boot = Number(/^btime (\d+)$/m.exec(read('/proc/stat'))?.[1] ?? 0);
  const started = new Date(boot * 1000 + Number(fields[19]) * 10);
  const tty = Number(fields[4]);
  const row = [
    uid === '0' ? 'root' : uid,
    `${pid}`,
    fields[1]!,
    '0',
    started.toTimeString().slice(0, 5),
    tty === 0 ? '?' : `pts/${tty & 0xff}`,
    new Date(ticks * 10).toISOString().slice(11, 19),
    command || `[${name}]`,
  ];
  return [row];
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
