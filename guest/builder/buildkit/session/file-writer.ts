import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';

/** Small pieces are gathered to this before they are written. */
const pieceBytes = 1024 * 1024;

/** Writes one new file, piece after piece. Calls need not wait for one another; they are done in order. */
export class FileWriter {
  readonly #path: string;
  readonly #finish: (path: string, hash: string) => Promise<void>;
  readonly #hash = createHash('sha256');
  #file: FileHandle | null = null;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  #last: Promise<void> = Promise.resolve();

  /** @param finish called when all is written and the file closed, with the sha256 of the bytes in hex */
  constructor(path: string, finish: (path: string, hash: string) => Promise<void>) {
    this.#path = path;
    this.#finish = finish;
  }

  /** Resolves when `data` need not be kept in memory by others: it was written, or is gathered here. */
  write(data: Uint8Array): Promise<void> {
    this.#hash.update(data);
    // A view of a message that is little larger: not worth a copy.
    this.#gathered.push(data);
    this.#gatheredBytes += data.length;
    return this.#gatheredBytes < pieceBytes ? Promise.resolve() : this.#flush();
  }

  end(): Promise<void> {
    void this.#flush();
    return this.#then(async () => {
      await this.close();
      await this.#finish(this.#path, this.#hash.digest('hex'));
    });
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  #flush(): Promise<void> {
    const pieces = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    return this.#then(async () => {
      this.#file ??= await open(this.#path, 'wx', 0o600);
      if (pieces.length > 0) await this.#file.writev(pieces);
    });
  }

  #then(work: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(work);
    // Who waits for a later piece learns of it too.
    this.#last.catch(() => {});
    return this.#last;
  }
}
