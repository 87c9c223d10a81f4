import type { DiskSync } from '../host/disk-sync.ts';

/** A `docker load` of 200 MB took 0.87 of the time that it took with steps of 128 MiB. */
const stepBytes = 16 * 1024 * 1024;

/**
 * Has what is being written go to the disk meanwhile, so that the sync at the end, for which people wait, finds little
 * left.
 */
export class EarlySync {
  readonly #disk: DiskSync;
  readonly #directory: string;
  #unsynced = 0;
  #syncing = false;

  /** @param directory on the file system that is written to */
  constructor(disk: DiskSync, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** To be told of each piece that was written. */
  wrote(bytes: number): void {
    this.#unsynced += bytes;
    if (this.#unsynced < stepBytes || this.#syncing) return;
    this.#unsynced = 0;
    this.#syncing = true;
    // A disk that fails is told of at the end.
    void this.#disk
      .sync(this.#directory)
      .catch(() => {})
      .finally(() => {
        this.#syncing = false;
      });
  }
}
