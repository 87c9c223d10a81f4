import { mkdirSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { decompressed } from '../../layers/compression.ts';
import { ConfinedRoot, type OpenDirectory } from '../../layers/confined-root.ts';
import { extractTar } from '../../layers/extract.ts';
import { byteString, readable } from '../../layers/tar-entry.ts';
import type { ContextSource, ContextWish, OpenContext } from '../build.ts';
import { type IgnoreRules, ignoreRules } from '../dockerfile/ignore.ts';
import { readFileInside } from '../files/read-inside.ts';

/** A context that is a directory of ours; disposing of it removes the directory. */
export class DirectoryContext implements ContextSource, Disposable {
  readonly directory: string;
  readonly #hashes: ReadonlyMap<string, string>;

  constructor(directory: string, hashes: ReadonlyMap<string, string> = new Map()) {
    this.directory = directory;
    this.#hashes = hashes;
  }

  /** A directory in it, as a context; this one is what is to be disposed of. Throws InvalidParameter and NotFound. */
  within(path: string): DirectoryContext {
    using root = new ConfinedRoot(this.directory);
    using found = root.open(path.replace(/^\/+/, ''));
    return new DirectoryContext(readlinkSync(`/proc/self/fd/${found.fd}`));
  }

  async read(path: string): Promise<Buffer | null> {
    return readFileInside(this.directory, path);
  }

  async open({ ignore }: ContextWish): Promise<OpenContext> {
    if (ignore.length > 0) {
      using root = new ConfinedRoot(this.directory);
      using top = root.open('');
      removeIgnored(top, '', ignoreRules(ignore));
    }
    return {
      directory: this.directory,
      hashOf: (path) => this.#hashes.get(path),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  /** Its files go while the engine does other things; what stays is swept when it starts. */
  [Symbol.dispose](): void {
    rm(this.directory, { recursive: true, force: true }).catch(() => {});
  }
}

/**
 * Unpacks a client's archive, plain or compressed. Throws InvalidParameter on one that is malformed or leads out of the
 * directory; then nothing is left.
 */
export async function unpackContext(
  tar: AsyncIterable<Buffer>,
  directory: string,
): Promise<DirectoryContext> {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const hashes = new Map<string, string>();
  try {
    using root = new ConfinedRoot(directory);
    await extractTar(root, '/', decompressed(tar), {
      owner: { uid: 0, gid: 0 },
      onFile(parent, name, hash) {
        // Where it really is: the archive may have got there through a link.
        const real = byteString(readlinkSync(`/proc/self/fd/${parent.fd}`).slice(directory.length + 1));
        hashes.set(real === '' ? name : `${real}/${name}`, hash);
      },
    });
    return new DirectoryContext(directory, hashes);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function removeIgnored(directory: OpenDirectory, path: string, rules: IgnoreRules): void {
  for (const name of readdirSync(directory.at('.'), 'latin1')) {
    const own = path === '' ? name : `${path}/${name}`;
    const excluded = rules.excludes(readable(own));
    const isDirectory = directory.stat(name)?.isDirectory() ?? false;
    if (excluded && (!isDirectory || rules.excludesAll(readable(own)))) directory.remove(name);
    else if (isDirectory) {
      using child = directory.child(name);
      removeIgnored(child, own, rules);
    }
  }
}
