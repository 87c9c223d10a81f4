import { fetchFile } from './fetch-file.ts';
import type { OpenOptions } from './request.ts';

export interface WantedFile {
  /** For progress. */
  readonly name: string;
  readonly url: string;
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface FetchAllOptions extends OpenOptions {
  readonly onProgress?: ((item: string, doneBytes: number, totalBytes: number) => void) | undefined;
}

const parallel = 4;

/** Fetches files, four at a time, the largest first. The first failure ends the others. */
export async function fetchAll(files: readonly WantedFile[], options: FetchAllOptions = {}): Promise<void> {
  const { signal, onProgress } = options;
  const failure = new AbortController();
  const either = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  const queue = [...files].sort((a, b) => b.sizeBytes - a.sizeBytes);
  const work = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const { name } = file;
      let last = 0;
      await fetchFile({
        ...options,
        ...file,
        signal: either,
        onBytes: (bytes) => {
          doneBytes += bytes - last;
          last = bytes;
          onProgress?.(name, doneBytes, totalBytes);
        },
      });
    }
  };
  const workers = Array.from({ length: parallel }, work);
  try {
    await Promise.all(workers);
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(workers);
    signal?.throwIfAborted();
    throw error;
  }
}
