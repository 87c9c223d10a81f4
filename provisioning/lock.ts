import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Cancelled, Unavailable } from '../drivers/errors.ts';
import { identify, type ProcessIdentity } from '../drivers/process-identity.ts';

/**
 * Locks between processes (and between callers in one process) without flock, which Node lacks.
 *
 * Who wants a resource writes an empty file that says who it is, `RESOURCE~PID~START~RANDOM`, and then looks
 * for others: alone, it has the lock; else it takes its file away and tries again later. As everybody writes
 * before looking, two never both find themselves alone. A file of a process that has died is removed by
 * whoever sees it; since names are never used twice, that cannot hit a living claim.
 */
export interface Lock extends AsyncDisposable {
  /** Idempotent. */
  release(): Promise<void>;
}

interface Claim extends ProcessIdentity {
  readonly file: string;
}

export interface LockOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Told once, when somebody else has the lock and waiting begins. */
  readonly onWait?: (holder: ProcessIdentity) => void;
}

/** Throws Unavailable naming the holder when `timeoutMs` passes, Cancelled when `signal` aborts. */
export async function acquireLock(
  directory: string,
  resource: string,
  { signal, timeoutMs = 60_000, onWait }: LockOptions = {},
): Promise<Lock> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const self = await identify(process.pid);
  const file = `${resource}~${process.pid}~${startOf(self)}~${crypto.randomUUID()}`;
  const release = () => rm(join(directory, file), { force: true });
  const deadline = Date.now() + timeoutMs;
  for (let waited = false; ; waited = true) {
    let holder = await otherHolder(directory, resource, file);
    if (holder === null) {
      await writeFile(join(directory, file), '', { flag: 'wx', mode: 0o600 });
      holder = await otherHolder(directory, resource, file).catch(async (error: unknown) => {
        await release();
        throw error;
      });
      if (holder === null) return { release, [Symbol.asyncDispose]: release };
      await release();
    }
    if (!waited) onWait?.(holder);
    if (Date.now() >= deadline)
      throw new Unavailable(`process ${holder.pid} has had "${resource}" for ${timeoutMs / 1000} s`);
    // Polled, because the death of a process is no event that others can wait for; uneven, so that two who
    // met do not meet again.
    await delay(20 + Math.random() * 60, undefined, signal ? { signal } : {}).catch(() => {
      throw new Cancelled(`cancelled while process ${holder.pid} had "${resource}"`);
    });
  }
}

/** Who holds the lock, or null. */
export function lockHolder(directory: string, resource: string): Promise<ProcessIdentity | null> {
  return otherHolder(directory, resource, null);
}

async function otherHolder(directory: string, resource: string, own: string | null): Promise<Claim | null> {
  for (const claim of await claims(directory, resource)) {
    if (claim.file === own) continue;
    if (await isHeld(claim)) return claim;
    await rm(join(directory, claim.file), { force: true });
  }
  return null;
}

/** As isAlive, with the start as a file's name has it. */
async function isHeld({ pid, started }: Claim): Promise<boolean> {
  const found = await identify(pid);
  return found !== null && (started === '' || startOf(found) === started);
}

/** Without what separates the parts of a file's name or may not be in one. */
function startOf(identity: ProcessIdentity | null): string {
  return identity?.started.replace(/\W+/g, '-') ?? '';
}

async function claims(directory: string, resource: string): Promise<Claim[]> {
  const files = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return files.flatMap((file) => {
    const [name, pid, started] = file.split('~');
    return name === resource && pid && started !== undefined ? [{ file, pid: Number(pid), started }] : [];
  });
}
