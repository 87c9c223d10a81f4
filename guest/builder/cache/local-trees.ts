import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, hexOf } from '../../digest.ts';
import { usageOf } from '../../layers/upper.ts';
import type { BuildCacheRecord } from '../build.ts';

/** A directory for one build's transfer, with what an earlier one left. */
export interface LocalTree extends AsyncDisposable {
  readonly directory: string;
  /** sha256 in hex of files in it, by path, where it is known; for those who change files to keep true. */
  readonly hashes: Map<string, string>;
}

/**
 * What came from clients' directories, kept for the next build of the same one: only what has changed travels. A
 * tree belongs to one build at a time; a second build of the same directory gets an empty one, and the tree that
 * is given back last is kept. Nobody's build depends on them: they can go at any time that nobody has them.
 *
 *   <root>/kept/KEY/{tree,hashes}      <root>/taken/ID/{tree,hashes}, swept when the engine starts
 */
export class LocalTrees {
  readonly #kept: string;
  readonly #taken: string;
  #ready: Promise<void> | undefined;

  constructor(root: string) {
    this.#kept = join(root, 'kept');
    this.#taken = join(root, 'taken');
  }

  /** @param key the client's name for the directory; null = keep nothing */
  async take(key: string | null): Promise<LocalTree> {
    await this.#prepared();
    const taken = join(this.#taken, randomBytes(8).toString('hex'));
    const directory = join(taken, 'tree');
    const kept = key === null ? null : join(this.#kept, hexOf(digestOf(key)));
    if (!kept || !(await moved(kept, taken))) await mkdir(directory, { recursive: true });
    const list = join(taken, 'hashes');
    const listed = await readFile(list, 'utf8').catch(() => '[]');
    const hashes = parseHashes(listed);
    return {
      directory,
      hashes,
      [Symbol.asyncDispose]: async () => {
        if (!kept) return rm(taken, { recursive: true, force: true });
        const text = JSON.stringify([...hashes]);
        if (text !== listed) await writeFile(list, text);
        const now = new Date();
        await utimes(taken, now, now);
        await rm(kept, { recursive: true, force: true });
        if (!(await moved(taken, kept))) await rm(taken, { recursive: true, force: true });
      },
    };
  }

  /** Of those that nobody has taken. */
  async records(): Promise<BuildCacheRecord[]> {
    await this.#prepared();
    const names = await readdir(this.#kept);
    return Promise.all(
      names.map(async (name) => {
        const { birthtime, mtime } = await stat(join(this.#kept, name));
        return {
          ...{ id: name, parents: [], type: 'source.local' as const },
          ...{ description: 'files of a client', inUse: false, shared: false },
          // Layers may have links to its files (layers/layer-files.ts), which stay without it.
          sizeBytes: await usageOf(join(this.#kept, name), { alone: true }),
          ...{ createdAt: birthtime, lastUsedAt: mtime, usageCount: 1 },
        };
      }),
    );
  }

  /** Idempotent. */
  async remove(id: string): Promise<void> {
    if (/^[0-9a-f]{64}$/.test(id)) await rm(join(this.#kept, id), { recursive: true, force: true });
  }

  #prepared(): Promise<void> {
    this.#ready ??= this.#prepare();
    return this.#ready;
  }

  async #prepare(): Promise<void> {
    await rm(this.#taken, { recursive: true, force: true });
    await mkdir(this.#taken, { recursive: true, mode: 0o700 });
    await mkdir(this.#kept, { recursive: true, mode: 0o700 });
  }
}

/** None when a power cut left half of the list. */
function parseHashes(text: string): Map<string, string> {
  try {
    return new Map(JSON.parse(text));
  } catch {
    return new Map();
  }
}

/** False when there is nothing at `from`, or something at `to` already. */
async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}
