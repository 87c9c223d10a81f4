import { realpath } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { type ChangesTold, hostChangesProtocol, type WatchedPaths } from '../../../guest/wire/index.ts';
import { engineStream } from '../../supervisor/engine-stream.ts';
import type { Service, ServiceContext } from '../../supervisor/service.ts';
import { untilAborted } from '../../supervisor/until-aborted.ts';
import { PendingChanges } from './pending-changes.ts';
import type { Telling } from './telling.ts';
import { tellingBySftp } from './telling-by-sftp.ts';
import { tellingByVirtiofs } from './telling-by-virtiofs.ts';
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
      if (Mounts.length === 0) return await untilAborted(signal);
      const roots = await Promise.all(
        Mounts.map(async ({ Host, ReadOnly }) => {
          // Nothing can be set there, so nothing can be told.
          if (ReadOnly && MountType === 'virtiofs') return null;
          return await realpath(Host, { encoding: 'buffer' }).catch(() => null);
        }),
      );
      const hostPath = (path: string) => hostPathOf(roots, path);
      const telling =
        MountType === 'virtiofs' ? tellingByVirtiofs(hostPath) : tellingBySftp(machine, hostPath);
      await delay(settleMs, undefined, { signal });
      while (!signal.aborted) {
        const stream = await engineStream(
          machine,
          { path: '/machine/changes', protocol: hostChangesProtocol },
          signal,
        );
        await follow(stream, { hostPath, telling }, context).finally(() => stream.destroy());
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

interface Followed {
  readonly hostPath: (path: string) => Buffer | null;
  readonly telling: Telling;
}

/** Until the stream ends. */
async function follow(
  stream: TLSSocket,
  { hostPath, telling }: Followed,
  { signal, log }: ServiceContext,
): Promise<void> {
  const pending = new PendingChanges(telling);
  let serial = 0;
  let told = 0;
  let soon: NodeJS.Timeout | undefined;
  let sentAt = 0;
  const tell = async () => {
    soon = undefined;
    if (told !== serial || pending.isEmpty) return;
    serial += 1;
    const batch = await telling.take(pending, serial);
    if (batch === null) {
      told = serial;
      if (!pending.isEmpty) tellIn(burstMs);
      return;
    }
    const { changes, collapsed } = batch;
    if (collapsed > 0)
      log.info(`${collapsed} of many changes at once are told to the machine by their directories alone`);
    sentAt = performance.now();
    stream.write(`${JSON.stringify(changes)}\n`);
  };
  const tellIn = (ms: number) => {
    soon ??= setTimeout(tell, ms);
  };
  using watches = new TreeWatches({
    hostPath,
    isOwn: (path) => telling.isOwn(path),
    onChange: (path, how) => {
      pending.add(path, how);
      // While the machine is being told, its answer is waited for.
      if (told === serial) tellIn(burstMs);
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
        telling.told(told);
        tellIn(Math.max(burstMs, telling.restMs(performance.now() - sentAt)));
      }
    }
  } finally {
    clearTimeout(soon);
    signal.removeEventListener('abort', end);
  }
}
