import { realpath, rename, rmdir, unlink } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import * as z from 'zod';
import { tryRun } from '../host/exec.ts';
import {
  type HostChanges,
  type MountType,
  noticeDirectory,
  noticeTime,
  type SharedDirectory,
} from '../wire/index.ts';
import { tellByAttributes } from './attribute-notices.ts';
import { takeJsonLines } from './json-lines.ts';

/** Batches of a host of ours stay far below. */
const longestLine = 16 * 1024 ** 2;
const paths = z.array(z.string().regex(/^\/\d+(?:\/|$)/));
const changes = z.object({
  serial: z.number().int(),
  gone: paths,
  departed: paths,
  arrived: paths,
  directories: paths,
  files: paths,
});

export interface HostFilesParts {
  readonly directories: readonly SharedDirectory[];
  readonly directoriesBy: MountType;
  /** Where the host's SFTP server is mounted as a whole, when they are by that. */
  readonly mountedAt: string;
  /** What running containers bind. */
  readonly boundSources: () => readonly string[];
}

/**
 * The host in front, which says what changes in its directories (wire/host-changes.ts). Programs in containers hear of
 * it as of changes of their own kernel: what has changed is touched, in a way that changes nothing on the host.
 */
export class HostFiles {
  readonly #parts: HostFilesParts;
  #tell: (() => Promise<void>) | null = null;

  constructor(parts: HostFilesParts) {
    this.#parts = parts;
  }

  /** To be called when containers have started or ended. */
  changed(): void {
    void this.#tell?.();
  }

  /** Until the connection ends; a newer one takes its place. */
  serve(connection: Duplex): void {
    let told = '';
    const say = async () => {
      const watched = await watchedPaths(this.#parts);
      const line = `${JSON.stringify({ watched })}\n`;
      if (line !== told && !connection.destroyed) connection.write(line);
      told = line;
    };
    // One after another: directories whose server is gone hang who asks.
    let last = Promise.resolve();
    let isNext = false;
    const tell = async () => {
      if (isNext) return;
      isNext = true;
      last = last.then(async () => {
        isNext = false;
        await say();
      });
      await last;
    };
    this.#tell = tell;
    connection.on('close', () => {
      if (this.#tell === tell) this.#tell = null;
    });
    takeJsonLines(connection, { schema: changes, longest: longestLine }, (batch) => {
      void this.#tellPrograms(batch).then(() =>
        connection.write(`${JSON.stringify({ told: batch.serial })}\n`),
      );
    });
    void tell();
  }

  async #tellPrograms(batch: HostChanges): Promise<void> {
    const { mountedAt, directoriesBy } = this.#parts;
    if (directoriesBy === 'virtiofs') return await tellByAttributes(batch);
    const { serial, departed, arrived } = batch;
    const bound = departed.length + arrived.length === 0 ? [] : await boundPaths(this.#parts);
    // A container's own bind would go with it, and not come back with the next file of that name.
    const isBound = (path: string) => bound.some((other) => other === path || other.startsWith(`${path}/`));
    for (const [index, path] of departed.entries())
      if (!isBound(path)) await depart(mountedAt, path, `${serial}.${index}`);
    for (const [index, path] of arrived.entries())
      if (!isBound(path)) await arrive(mountedAt, path, `${serial}.new${index}`);
    await touchAll(mountedAt, batch);
  }
}

type Bound = Pick<HostFilesParts, 'directories' | 'boundSources'>;

/** Of what containers bind, what is in a directory of the host; without what is below another. */
export async function watchedPaths(parts: Bound): Promise<string[]> {
  const all = await boundPaths(parts);
  return all.filter((path) => !all.some((other) => path.startsWith(`${other}/`))).sort();
}

async function boundPaths({ directories, boundSources }: Bound): Promise<string[]> {
  const inShares = async (source: string) => {
    // A bind is what a link leads to, and only here it is known where that is.
    const real = await realpath(source, { encoding: 'buffer' }).catch(() => Buffer.from(source));
    const path = real.toString('latin1');
    const [nearest] = directories
      .map((shared, number) => ({ number, root: Buffer.from(shared.path).toString('latin1') }))
      .filter(({ root }) => path === root || path.startsWith(`${root}/`))
      .sort((a, b) => b.root.length - a.root.length);
    const below = directories
      .map((shared, number) => ({ number, root: Buffer.from(shared.path).toString('latin1') }))
      .filter(({ root }) => root.startsWith(`${path === '/' ? '' : path}/`))
      .map(({ number }) => `/${number}`);
    return nearest === undefined ? below : [`/${nearest.number}${path.slice(nearest.root.length)}`, ...below];
  };
  const found = new Set<string>();
  // One at a time: where they hang, few of the threads that all files are asked for by do.
  for (const source of new Set(boundSources())) for (const path of await inShares(source)) found.add(path);
  return [...found];
}

/**
 * Makes the kernel tell that something has gone: IN_MOVED_FROM where it was, and IN_DELETE_SELF. A rename alone says by
 * where it leads to that it is none; so nothing else is done here that would remove a file which has this name again.
 */
async function depart(mountedAt: string, path: string, id: string): Promise<void> {
  const gone = `${mountedAt}/${noticeDirectory}/${id}/gone`;
  try {
    await rename(Buffer.from(`${mountedAt}${path}`, 'latin1'), gone);
    await unlink(gone).catch(() => rmdir(gone));
  } catch {
    // It was not known here, or the host is not there any more.
  }
}

/** Makes the kernel tell that a directory is new: IN_MOVED_TO. The host has it not moved over one that is known here. */
async function arrive(mountedAt: string, path: string, id: string): Promise<void> {
  const to = Buffer.from(`${mountedAt}${path}`, 'latin1');
  await rename(`${mountedAt}/${noticeDirectory}/${id}/new`, to).catch(() => {});
}

/**
 * Makes the kernel tell of changes: IN_MODIFY for files, IN_ATTRIB for directories. Also makes sshfs and the kernel forget
 * what they know of them; so directories go first, whose entries programs read when they hear of a file. Nothing changes: the
 * host's server knows {@link noticeTime}. Symbolic links are not followed.
 */
async function touchAll(mountedAt: string, { gone, directories, files }: HostChanges): Promise<void> {
  // Of what is gone, only the memory goes, so there is nothing to tell; that it is not there is no failure.
  await touch(mountedAt, gone, '-chm');
  await touch(mountedAt, directories, '-ch');
  await touch(mountedAt, files, '-chm');
}

async function touch(mountedAt: string, names: readonly string[], flags: string): Promise<void> {
  if (names.length === 0) return;
  const input = Buffer.from(names.map((name) => `${mountedAt}${name}\0`).join(''), 'latin1');
  await tryRun('xargs', ['-0', 'touch', flags, '-d', `@${noticeTime}`], { input }).catch(() => {});
}
