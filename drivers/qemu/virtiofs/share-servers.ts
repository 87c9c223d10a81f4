import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostShare } from '../../driver.ts';
import { Unavailable } from '../../errors.ts';
import { identify, isAlive, type ProcessIdentity } from '../../process-identity.ts';
import { writeFileAtomic } from '../../write-file-atomic.ts';
import type { Listener } from '../args.ts';
import { tailOf } from '../console-log.ts';
import type { QemuPaths } from '../paths.ts';
import { abortError } from '../process.ts';
import { QmpClient, QmpError } from '../qmp.ts';
import { daemonArgs } from './daemon-args.ts';
import { connectShare, plugShares } from './hot-plug.ts';

const retryMs = 20;
/** They listen after some milliseconds; on a computer that swaps, seconds. */
const listenDeadlineMs = 20_000;

export interface ShareServersOptions {
  readonly shares: readonly HostShare[];
  /** virtiofsd */
  readonly program: string;
  readonly paths: QemuPaths;
  readonly socketDirectory: string;
  readonly qmp: Listener;
  readonly signal: AbortSignal;
  readonly deadlineMs?: number;
}

/**
 * Starts a virtiofsd for each share of a VM that runs, and plugs them in. They end with QEMU's connection, and no supervisor is
 * between the guest and its files. Throws Unavailable with virtiofsd's own words, or Timeout.
 */
export async function startShareServers(wanted: ShareServersOptions): Promise<void> {
  const { shares, paths, qmp, deadlineMs = listenDeadlineMs } = wanted;
  const signal = AbortSignal.any([wanted.signal, AbortSignal.timeout(deadlineMs)]);
  const options = { ...wanted, signal };
  const servers: ChildProcess[] = [];
  try {
    await using client = await QmpClient.connect(qmp, { signal });
    const identities: ProcessIdentity[] = [];
    for (const [number, share] of shares.entries()) {
      const server = await startServer(options, share, number);
      servers.push(server.child);
      const identity = server.child.pid === undefined ? null : await identify(server.child.pid);
      if (identity !== null) identities.push(identity);
      // Before they are connected, so that a start that was killed on the way leaves none that nobody knows.
      await writeFileAtomic(paths.shareServers, `${JSON.stringify(identities)}\n`);
      await connect(client, number, server, options);
    }
    await plugShares(client, shares.length);
    for (const server of servers) server.unref();
  } catch (error) {
    for (const server of servers) server.kill('SIGKILL');
    await rm(paths.shareServers, { force: true });
    if (signal.aborted) throw abortError(signal, 'sharing directories');
    throw error;
  }
}

/** Whether one of the servers has ended while its machine is on. Nothing connects a guest to another one. */
export async function hasLostShares(paths: QemuPaths): Promise<boolean> {
  for (const identity of await remembered(paths)) if (!(await isAlive(identity))) return true;
  return false;
}

/** Of a machine that is off: those that never had a connection, or that take their time. Idempotent. */
export async function endShareServers(paths: QemuPaths): Promise<void> {
  for (const identity of await remembered(paths)) if (await isAlive(identity)) kill(identity);
  await rm(paths.shareServers, { force: true });
}

async function remembered({ shareServers }: QemuPaths): Promise<ProcessIdentity[]> {
  return JSON.parse(await readFile(shareServers, 'utf8').catch(() => '[]')) as ProcessIdentity[];
}

function kill({ pid }: ProcessIdentity): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

interface Server {
  readonly child: ChildProcess;
  readonly socket: string;
  /** Aborts when it has ended. */
  readonly ended: AbortSignal;
}

async function startServer(
  { program, paths, socketDirectory }: ShareServersOptions,
  share: HostShare,
  number: number,
): Promise<Server> {
  const socket = join(socketDirectory, `fs${number}.sock`);
  await removeFiles(socket);
  await using log = await open(paths.shareLog, number === 0 ? 'w' : 'a', 0o600);
  const uid = process.getuid!();
  const child = spawn(program, daemonArgs({ share, socket, uid, gid: process.getgid!() }), {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = new AbortController();
  child.once('exit', () => ended.abort()).once('error', () => ended.abort());
  return { child, socket, ended: ended.signal };
}

/** Until it listens and QEMU has connected; after that, nothing is left of its socket that others could find. */
async function connect(
  client: QmpClient,
  number: number,
  { socket, ended }: Server,
  { shares, paths, signal }: ShareServersOptions,
): Promise<void> {
  try {
    for (;;) {
      try {
        return await connectShare(client, number, socket);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof QmpError)) throw error;
        if (!ended.aborted) {
          await delay(retryMs);
          continue;
        }
        const words = await tailOf(paths.shareLog, 5);
        throw new Unavailable(
          `virtiofsd cannot share "${shares[number]!.directory}"${words === '' ? '' : `; it said:\n${words}`}\n--mount-type sftp does without it`,
          { cause: error },
        );
      }
    }
  } finally {
    await removeFiles(socket);
  }
}

/** virtiofsd keeps its process id next to its socket. */
async function removeFiles(socket: string): Promise<void> {
  for (const path of [socket, `${socket}.pid`]) await rm(path, { force: true });
}
