import { realpath } from 'node:fs/promises';
import type { Service, ServiceContext } from '../supervisor/service.ts';
import { untilAborted } from '../supervisor/until-aborted.ts';
import { noticesOf } from './changes/notices.ts';
import { ownChangesOf } from './changes/own-changes.ts';
import { FileOwners } from './owners/file-owners.ts';
import { OwnerJournal } from './owners/owner-journal.ts';
import { serveSftp } from './sftp/serve-sftp.ts';
import { SharedTree } from './sftp/shared-tree.ts';

/** Serves the machine's directories of this computer, each under its number in the machine's record. */
export const directoriesService: Service = {
  name: 'directories',
  async run({ machine, signal, log, ready }: ServiceContext): Promise<void> {
    const { driver, handle, record } = machine;
    const { openStream } = driver;
    if (record.Mounts.length === 0 || record.MountType !== 'sftp' || openStream === undefined) {
      ready();
      return await untilAborted(signal);
    }
    const own = ownChangesOf(machine);
    const notices = noticesOf(machine);
    const owners = new FileOwners(new OwnerJournal(machine.paths.fileOwners));
    const trees = new Map<string, SharedTree>();
    for (const [number, { Host, ReadOnly }] of record.Mounts.entries()) {
      try {
        trees.set(String(number), new SharedTree(await realpath(Host), { readonly: ReadOnly, owners }));
      } catch (error) {
        log.error(`"${Host}" is not shared`, error);
      }
    }
    try {
      while (!signal.aborted) {
        const stream = await openStream.call(driver, handle, 'files', { signal });
        const stop = () => stream.destroy();
        signal.addEventListener('abort', stop, { once: true });
        ready();
        try {
          await serveSftp(stream, trees, { onChange: (path) => own.mark(path), notices });
        } catch (error) {
          // A client that begins in the middle of a packet is at an end when its stream is, and comes again.
          if (!signal.aborted) log.error('the machine is served anew', error);
        } finally {
          signal.removeEventListener('abort', stop);
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const tree of trees.values()) tree.close();
      owners.close();
    }
  },
};
