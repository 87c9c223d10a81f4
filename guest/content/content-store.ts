import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Digest, hexOf } from '../digest.ts';
import { InvalidParameter, NotFound } from '../errors.ts';

export interface BlobReader {
  /** Size in bytes, or null when the blob is not here. */
  size(digest: Digest): Promise<number | null>;
  /** The whole blob; for small ones. Throws NotFound. */
  read(digest: Digest): Promise<Buffer>;
  /** Throws NotFound. */
  stream(digest: Digest): Promise<Readable>;
}

export interface BlobWriter {
  /**
   * Reads `source` to its end and keeps it as the blob `digest`: durable when it returns, idempotent. Throws
   * InvalidParameter when the bytes are not those of the digest, or more than `maxBytes`; then nothing stays.
   */
  ingest(
    digest: Digest,
    source: AsyncIterable<Uint8Array>,
    options: { readonly maxBytes: number },
  ): Promise<void>;
}

/**
 * Blobs by digest in `sha256/HEX`: manifests and other small documents that an image's own record does not
 * hold. Layers are not here; they live unpacked. A blob appears by one rename, after its bytes are on disk.
 */
export class ContentStore implements BlobReader, BlobWriter {
  readonly #blobs: string;
  readonly #ingest: string;

  private constructor(root: string) {
    this.#blobs = join(root, 'sha256');
    this.#ingest = join(root, 'ingest');
  }

  /** Makes the directories, and sweeps what a crash left unfinished. */
  static async open(root: string): Promise<ContentStore> {
    const store = new ContentStore(root);
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

  async stream(digest: Digest): Promise<Readable> {
    const file = await open(this.#path(digest)).catch(ifGone(() => Promise.reject(missing(digest))));
    return file.createReadStream({ highWaterMark: 256 * 1024 });
  }

  async ingest(
    digest: Digest,
    source: AsyncIterable<Uint8Array>,
    { maxBytes }: { readonly maxBytes: number },
  ): Promise<void> {
    const temporary = join(this.#ingest, randomUUID());
    try {
      await using file = await open(temporary, 'wx', 0o600);
      const hash = createHash('sha256');
      let size = 0;
      for await (const bytes of source) {
        size += bytes.length;
        if (size > maxBytes) throw new InvalidParameter(`blob ${digest} is larger than ${maxBytes} bytes`);
        hash.update(bytes);
        await file.writeFile(bytes);
      }
      const actual = `sha256:${hash.digest('hex')}`;
      if (actual !== digest) throw new InvalidParameter(`blob ${digest} has the bytes of ${actual}`);
      await file.sync();
      await rename(temporary, this.#path(digest));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await using directory = await open(this.#blobs);
    await directory.sync();
  }

  /** Idempotent. */
  async remove(digest: Digest): Promise<void> {
    await rm(this.#path(digest), { force: true });
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
