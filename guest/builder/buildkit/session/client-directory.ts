import { readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { readable } from '../../../layers/tar-entry.ts';
import type { ContextSource, ContextWish, OpenContext } from '../../build.ts';
import type { LocalTrees } from '../../cache/local-trees.ts';
import { syncFiles } from './file-sync.ts';
import type { Session } from './sessions.ts';

/** A directory of the client's, by the name under which its session offers it. */
export class ClientDirectory implements ContextSource {
  readonly #session: Session;
  readonly #trees: LocalTrees;
  readonly #name: string;
  readonly #signal: AbortSignal;

  constructor(from: {
    readonly session: Session;
    readonly trees: LocalTrees;
    readonly name: string;
    readonly signal: AbortSignal;
  }) {
    this.#session = from.session;
    this.#trees = from.trees;
    this.#name = from.name;
    this.#signal = from.signal;
  }

  async read(path: string): Promise<Buffer | null> {
    return (await this.readSome([path])).get(path) ?? null;
  }

  /**
   * Files by their paths, in one transfer; those that are not there are left out.
   *
   * @param onBytes how much has come
   */
  async readSome(
    paths: readonly string[],
    onBytes: (bytes: number) => void = () => {},
  ): Promise<ReadonlyMap<string, Buffer>> {
    await using tree = await this.#trees.take(null);
    const { directory } = tree;
    await syncFiles({
      ...{ session: this.#session, name: this.#name, signal: this.#signal },
      ...{ directory, follow: paths, onBytes },
    });
    const found = new Map<string, Buffer>();
    for (const path of paths) {
      const content = await readInside(directory, path);
      if (content) found.set(path, content);
    }
    return found;
  }

  async open({ ignore, paths, signal, onBytes }: ContextWish): Promise<OpenContext> {
    const tree = await this.#trees.take(`${this.#session.sharedKey}:${this.#name}`);
    try {
      await syncFiles({
        ...{ session: this.#session, name: this.#name },
        ...{ directory: tree.directory, hashes: tree.hashes },
        ...{ exclude: ignore, signal: AbortSignal.any([signal, this.#signal]) },
        ...(paths && { follow: paths }),
        ...(onBytes && { onBytes }),
      });
      return {
        directory: tree.directory,
        hashOf: (path) => tree.hashes.get(readable(path)),
        [Symbol.asyncDispose]: () => tree[Symbol.asyncDispose](),
      };
    } catch (error) {
      await tree[Symbol.asyncDispose]();
      throw error;
    }
  }
}

/** Links lead nowhere but within the directory. */
async function readInside(directory: string, path: string): Promise<Buffer | null> {
  try {
    const real = await realpath(join(directory, path));
    return real.startsWith(directory + sep) ? await readFile(real) : null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ELOOP') return null;
    throw error;
  }
}
