import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { Cancelled, Timeout, Unavailable } from '../errors.ts';
import { identify, isAlive, type ProcessIdentity, whenGone } from '../process-identity.ts';
import { writeFileAtomic } from '../write-file-atomic.ts';
import type { Listener } from './args.ts';
import { tailOf } from './console-log.ts';
import type { QemuPaths } from './paths.ts';
import { QmpClient } from './qmp.ts';

/**
 * Starts QEMU so that it outlives this process and the terminal's Ctrl-C, and returns when it answers. Throws
 * Unavailable with QEMU's own words when it ends instead. Whatever is thrown, no process is left.
 */
export async function spawnQemu({
  program,
  args,
  paths,
  qmp,
  signal,
}: {
  readonly program: string;
  readonly args: readonly string[];
  readonly paths: QemuPaths;
  readonly qmp: Listener;
  readonly signal: AbortSignal;
}): Promise<ProcessIdentity> {
  signal.throwIfAborted();
  await using log = await open(paths.log, 'w', 0o600);
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    windowsHide: true,
  });
  const ended = new AbortController();
  const exit = once(child, 'exit').then(
    ([code, killedBy]) => `ended with ${killedBy ?? `exit code ${code}`}`,
    (error: Error) => `could not be started: ${error.message}`,
  );
  void exit.then(() => ended.abort());
  try {
    const identity = child.pid === undefined ? null : await identify(child.pid);
    if (identity !== null) {
      await writeFileAtomic(paths.process, `${JSON.stringify(identity)}\n`);
      await using _qmp = await QmpClient.connect(qmp, { signal: AbortSignal.any([signal, ended.signal]) });
      child.unref();
      return identity;
    }
    throw new Unavailable(`QEMU ${await exit}`);
  } catch (error) {
    child.kill('SIGKILL');
    const how = await exit;
    await rm(paths.process, { force: true });
    if (signal.aborted) throw abortError(signal, 'starting QEMU');
    const words = await tailOf(paths.log, 5);
    throw new Unavailable(`QEMU ${how}${words === '' ? '' : `; it said:\n${words}`}`, { cause: error });
  }
}

/** The machine's QEMU when it runs, else null. */
export async function findQemu({ process: file }: QemuPaths): Promise<ProcessIdentity | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (text === null) return null;
  const identity = JSON.parse(text) as ProcessIdentity;
  return (await isAlive(identity)) ? identity : null;
}

/** Kills and waits. The kernel may take a moment to free much memory. */
export async function killQemu(identity: ProcessIdentity): Promise<void> {
  try {
    process.kill(identity.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  if (!(await whenGone(identity, AbortSignal.timeout(10_000))))
    throw new Unavailable(`QEMU (process ${identity.pid}) was killed and does not end`);
}

/** A deadline becomes Timeout, anything else Cancelled. */
export function abortError(signal: AbortSignal, doing: string): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') return new Timeout(`${doing} took too long`);
  return new Cancelled(`${doing} was cancelled`);
}
