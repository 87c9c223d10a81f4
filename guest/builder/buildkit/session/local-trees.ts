import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, hexOf } from '../../../digest.ts';

/** A directory for one build's transfer, with what an earlier one left. */
export interface LocalTree extends AsyncDisposable {
  readonly directory: string;
}

/**
 * What came from clients' directories, kept for the next build of the same one: only what has changed travels. A
 * tree belongs to one build at a time; a second build of the same directory gets an empty one, and the tree that
 * is given back last is kept. Nobody's build depends on them: they can go at any time that nobody has them.
 *
 *   <root>/kept/KEY      <root>/taken/ID (swept when the engine starts)
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
    const directory = join(this.#taken, randomBytes(8).toString('hex'));
    const kept = key === null ? null : join(this.#kept, hexOf(digestOf(key)));
    if (!kept || !(await moved(kept, directory))) await mkdir(directory);
    return {
      directory,
      [Symbol.asyncDispose]: async () => {
        if (kept) await rm(kept, { recursive: true, force: true });
        if (!kept || !(await moved(directory, kept))) await rm(directory, { recursive: true, force: true });
      },
    };
  }

  /** Forgets what nobody has taken. */
  async prune(unusedSince: Date): Promise<void> {
    await this.#prepared();
    for (const name of await readdir(this.#kept)) {
      const { ctime } = await stat(join(this.#kept, name));
      if (ctime <= unusedSince) await rm(join(this.#kept, name), { recursive: true, force: true });
    }
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

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTEMPTY') return false;
    throw error;
  }
}
