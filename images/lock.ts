import { watch } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** How often a waiter looks whether the holder still lives; a release is noticed at once. */
const livenessMs = 2000;

/**
 * Holds a lock file until disposed; waits while another living process holds it. A lock whose process is gone
 * is taken over. `signal` ends the wait.
 */
export async function acquireLock(path: string, signal?: AbortSignal): Promise<AsyncDisposable> {
  await mkdir(dirname(path), { recursive: true });
  const mine = `${process.pid} ${(await startOf(process.pid)) ?? ''}\n`;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await writeFile(path, mine, { flag: 'wx', mode: 0o600 });
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const held = await readFile(path, 'utf8').catch(() => '');
    if (held !== '' && !(await isAlive(held))) await removeIfStill(path, held);
    else await changed(path, signal);
  }
}

async function isAlive(holder: string): Promise<boolean> {
  const [pid, start] = holder.trim().split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  // The number may have been given to another process since.
  const now = await startOf(Number(pid));
  return start === undefined || now === null || start === now;
}

/** When a process started, in clock ticks since boot; null where there is no /proc. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // After the name in parentheses, which may hold spaces; field 22 of proc_pid_stat(5).
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

async function removeIfStill(path: string, held: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => '')) === held) await rm(path, { force: true });
}

/** Resolves when the file goes away, or after a while. */
async function changed(path: string, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      watcher.close();
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const watcher = watch(dirname(path), (_, name) => {
      if (name === null || name === basename(path)) done();
    });
    watcher.on('error', done);
    const timer = setTimeout(done, livenessMs);
    signal?.addEventListener('abort', done);
  });
}
