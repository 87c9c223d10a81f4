import { realpath } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import {
  type ChangesTold,
  type HostChanges,
  hostChangesProtocol,
  type WatchedPaths,
} from '../../../guest/wire/index.ts';
import { engineStream } from '../../supervisor/engine-stream.ts';
import type { Service, ServiceContext } from '../../supervisor/service.ts';
import { untilAborted } from '../../supervisor/until-aborted.ts';
import { noticesOf } from './notices.ts';
import { ownChangesOf } from './own-changes.ts';
import { PendingChanges } from './pending-changes.ts';
import { TreeWatches } from './tree-watches.ts';

/** The first container after a start needs the processor more. */
const settleMs = 1500;
const reconnectMs = 200;
/** A program saves a file by several changes. */
const burstMs = 30;

/**
 * Tells a machine what changes in its directories of this computer by other hands than its own, where running containers
 * have them (guest/wire/host-changes.ts). Nothing is watched while no container has any.
 */
export const changesService: Service = {
  name: 'changes',
  async run(context: ServiceContext): Promise<void> {
    const { machine, signal, ready } = context;
    ready();
    try {
      const { Mounts, MountType } = machine.record;
      // Its server would do in earnest what is only to be told (decision 20).
      if (Mounts.length === 0 || MountType !== 'sftp') return await untilAborted(signal);
      const roots = await Promise.all(
        Mounts.map(({ Host }) => realpath(Host, { encoding: 'buffer' }).catch(() => null)),
      );
      await delay(settleMs, undefined, { signal });
      while (!signal.aborted) {
        const stream = await engineStream(
          machine,
          { path: '/machine/changes', protocol: hostChangesProtocol },
          signal,
        );
        await follow(stream, (path) => hostPathOf(roots, path), context).finally(() => stream.destroy());
        await delay(reconnectMs, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
};

/** Null for a path that nothing is shared at. */
export function hostPathOf(roots: readonly (Buffer | null)[], path: string): Buffer | null {
  const [, number, rest] = /^\/(\d+)(\/.*)?$/s.exec(path) ?? [];
  const root = number === undefined ? null : (roots[Number(number)] ?? null);
  if (root === null || rest === undefined) return root;
  const below = Buffer.from(rest, 'latin1');
  return Buffer.concat([root.toString('latin1') === '/' ? Buffer.alloc(0) : root, below]);
}

/** Until the stream ends. */
async function follow(
  stream: TLSSocket,
  hostPath: (path: string) => Buffer | null,
  { machine, signal, log }: ServiceContext,
): Promise<void> {
  const pending = new PendingChanges();
  const own = ownChangesOf(machine);
  const notices = noticesOf(machine);
  let serial = 0;
  let told = 0;
  let soon: NodeJS.Timeout | undefined;
  const tell = async () => {
    soon = undefined;
    if (told !== serial || pending.isEmpty) return;
    serial += 1;
    const { collapsed, departed, arrived, ...changes } = await pending.take(hostPath);
    notices.offer(serial, departed, arrived);
    if (collapsed > 0)
      log.info(`${collapsed} of many changes at once are told to the machine by their directories alone`);
    const line: HostChanges = {
      serial,
      ...changes,
      departed: departed.map(({ path }) => path),
      arrived: arrived.map(({ path }) => path),
    };
    stream.write(`${JSON.stringify(line)}\n`);
  };
  using watches = new TreeWatches({
    hostPath,
    isOwn: (path) => own.has(path),
    onChange: (path, how) => {
      pending.add(path, how);
      soon ??= setTimeout(tell, burstMs);
    },
    onWarning: (text) => log.error(text),
  });
  const end = () => void stream.destroy();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  stream.on('error', () => {}).on('end', end);
  try {
    for await (const line of createInterface({ input: stream })) {
      const said = JSON.parse(line) as WatchedPaths | ChangesTold;
      if ('watched' in said) watches.want(said.watched);
      else {
        told = said.told;
        notices.offer(told, [], []);
        soon ??= setTimeout(tell, burstMs);
      }
    }
  } finally {
    clearTimeout(soon);
    signal.removeEventListener('abort', end);
  }
}
