import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { collect } from '../archive/collect.ts';
import { entryPath } from '../archive/entry-path.ts';
import type { TarEntry } from '../archive/tar-reader.ts';
import type { Content, FileTree } from '../tree/file-tree.ts';

/** Files up to this size are kept in memory until the image is written. */
const inMemoryBytes = 64 * 1024;

/** Puts contents of archives where they can be read later. */
export class Staging {
  readonly #directory: string;
  #count = 0;

  /** The directory must exist; its owner removes it. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async keep(entry: Pick<TarEntry, 'size' | 'body'>): Promise<Content> {
    if (entry.size <= inMemoryBytes) return collect(entry.body);
    this.#count += 1;
    const path = join(this.#directory, String(this.#count));
    await pipeline(entry.body, createWriteStream(path));
    return { path, size: entry.size };
  }
}

export interface AddFilesOptions {
  readonly tree: FileTree;
  readonly files: AsyncIterable<TarEntry>;
  readonly staging: Staging;
  /** Whether the file at this absolute path goes in. Directories come only with what is in them, or by `keep`. */
  readonly keep: (path: string) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Adds what is wanted of an archive to the tree. Nothing in an archive's names can lead out of the tree. */
export async function addFiles({ tree, files, staging, keep, signal }: AddFilesOptions): Promise<void> {
  for await (const entry of files) {
    signal?.throwIfAborted();
    const path = entryPath(entry.name);
    if (path === '/' || !keep(path)) continue;
    const { mode, uid, gid } = entry;
    if (entry.type === 'file')
      tree.put(path, { kind: 'file', content: await staging.keep(entry), mode, uid, gid });
    else if (entry.type === 'symlink')
      tree.put(path, { kind: 'symlink', target: entry.linkName, mode: 0o777, uid, gid });
    else if (entry.type === 'link') tree.link(path, entryPath(entry.linkName));
    // A package's empty directories are made by what uses them; those with a mode of their own are few.
    else if (entry.type === 'directory' && mode !== 0o755)
      tree.put(path, { kind: 'directory', children: new Map(), mode, uid, gid });
    else if (entry.type !== 'directory') throw new Error(`package with a ${entry.type} at "${path}"`);
  }
}
