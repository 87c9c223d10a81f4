import { randomUUID } from 'node:crypto';
import { readdirSync, unlinkSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Digest, hexOf } from '../digest.ts';
import { NotFound } from '../errors.ts';
import type { Lease, Leases } from './leases.ts';
import { verified } from './verified.ts';

export interface BlobReader {
  /** Size in bytes, or null when the blob is not here. */
  size(digest: Digest): Promise<number | null>;
  /** The whole blob; for small ones. Throws NotFound. */
  read(digest: Digest): Promise<Buffer>;
  /** From the byte `start` on. Throws NotFound. */
  stream(digest: Digest, start?: number): Promise<Readable>;
}

export interface BlobWriter {
  /**
   * Reads `source` to its end and keeps it as the blob `digest`: durable when it returns, idempotent, and held
   * by the lease from the beginning. Throws InvalidParameter when the bytes are not those of the digest, or
   * more than `maxBytes`; then nothing stays.
   */
  ingest(
    digest: Digest,
    source: AsyncIterable<Buffer>,
    options: { readonly maxBytes: number; readonly lease: Lease },
  ): Promise<void>;
}

export interface BlobCopier {
  /**
   * Passes bytes on and keeps a copy of them as the blob `digest`, held by the lease from the beginning. The
   * caller verifies them before they get here. The copy is there when the iteration has ended, and
   * durable with the next sync of the file system; it is gone when the iteration ends early or fails.
   */
  copying(digest: Digest, source: AsyncIterable<Buffer>, lease: Lease): AsyncGenerator<Buffer>;
}

export interface BlobCollector {
  /**
   * Removes every blob that is neither `named` by a record nor held by a lease. Synchronous, and `named` is to
   * be read just before: so that nobody finds a blob, holds it and loses it all the same.
   */
  collect(named: ReadonlySet<Digest>): void;
}

/**
 * Blobs by digest in `sha256/HEX`: manifests, and layers as they were compressed elsewhere. A blob appears by
 * one rename, when it is whole.
 */
export class ContentStore implements BlobReader, BlobWriter, BlobCopier, BlobCollector {
  readonly #blobs: string;
  readonly #ingest: string;
  readonly #leases: Pick<Leases, 'held'>;

  private constructor(root: string, leases: Pick<Leases, 'held'>) {
    this.#blobs = join(root, 'sha256');
    this.#ingest = join(root, 'ingest');
    this.#leases = leases;
  }

  /** Makes the directories, and sweeps what a crash left unfinished. */
  static async open(root: string, leases: Pick<Leases, 'held'>): Promise<ContentStore> {
    const store = new ContentStore(root, leases);
    await rm(store.#ingest, { recursive: true, force: true });
    await mkdir(store.#ingest, { recursive: true, mode: 0o700 });
    await mkdir(store.#blobs, { recursive: true, mode: 0o700 });
    return store;
  }

  async size(digest: Digest): Promise<number | null> {
    const found = await stat(this.#path(digest)).catch(ifGone(() => null));
    return found ? found.size : null;
  }

  read(digest: Digest): Promise<Buffer> {
    return readFile(this.#path(digest)).catch(ifGone(() => Promise.reject(missing(digest))));
  }

  async stream(digest: Digest, start = 0): Promise<Readable> {
    const file = await open(this.#path(digest)).catch(ifGone(() => Promise.reject(missing(digest))));
    return file.createReadStream({ highWaterMark: 256 * 1024, start });
  }

  async ingest(
    digest: Digest,
    source: AsyncIterable<Buffer>,
    { maxBytes, lease }: { readonly maxBytes: number; readonly lease: Lease },
  ): Promise<void> {
    lease.hold(digest);
    const temporary = join(this.#ingest, randomUUID());
    try {
      await using file = await open(temporary, 'wx', 0o600);
      for await (const bytes of verified(source, { digest, maxBytes })) await file.writeFile(bytes);
      await file.sync();
      await rename(temporary, this.#path(digest));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await using directory = await open(this.#blobs);
    await directory.sync();
  }

  async *copying(digest: Digest, source: AsyncIterable<Buffer>, lease: Lease): AsyncGenerator<Buffer> {
    lease.hold(digest);
    const temporary = join(this.#ingest, randomUUID());
    const file = await open(temporary, 'wx', 0o600);
    let written = Promise.resolve();
    let isWhole = false;
    try {
      for await (const bytes of source) {
        await written;
        written = file.writeFile(bytes);
        // Heard of at the next piece.
        written.catch(() => {});
        yield bytes;
      }
      await written;
      isWhole = true;
    } finally {
      await written.catch(() => {});
      await file.close();
      if (isWhole) await rename(temporary, this.#path(digest));
      else await rm(temporary, { force: true });
    }
  }

  /** The name of a file for work under way; removed when disposed of. */
  scratch(): AsyncDisposable & { readonly path: string } {
    const path = join(this.#ingest, randomUUID());
    return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
  }

  collect(named: ReadonlySet<Digest>): void {
    const held = this.#leases.held();
    for (const name of readdirSync(this.#blobs)) {
      const digest: Digest = `sha256:${name}`;
      if (!named.has(digest) && !held.has(digest)) unlinkSync(this.#path(digest));
    }
  }

  #path(digest: Digest): string {
    return join(this.#blobs, hexOf(digest));
  }
}

function missing(digest: Digest): NotFound {
  return new NotFound(`blob ${digest} does not exist`);
}

function ifGone<T>(answer: () => T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== 'ENOENT') throw error;
    return answer();
  };
}
