import { open, readFile, rm } from 'node:fs/promises';
import { Conflict } from '../errors.ts';

/**
 * One engine per data root. The lock is a file with the holder's pid and start time; one whose holder is
 * gone (kill -9, power cut) is taken over. Throws Conflict that names the holder.
 */
export async function lockDataRoot(path: string): Promise<AsyncDisposable> {
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(`${process.pid} ${await startTime(process.pid)}\n`);
      await file.close();
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', started = ''] = (await readFile(path, 'utf8').catch(() => '')).trim().split(' ');
    if (started !== '' && (await startTime(Number(pid))) === started) {
      throw new Conflict(`an engine (pid ${pid}) already runs on this data root ("${path}" is held)`);
    }
    await rm(path, { force: true });
  }
}

/**
 * Clock ticks from boot to the process's start, with the boot's id, so that a pid that came round again, or
 * one of an earlier boot, is not taken for its former owner; '' when there is none. See proc(5), stat field 22.
 */
async function startTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${await readBootId()}/${ticks}`;
  } catch {
    return '';
  }
}

/** Differs after every boot of the kernel. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
