import { execFile } from 'node:child_process';
import { Unavailable } from '../errors.ts';

/**
 * An empty qcow2 that takes space only as it is written. No lazy refcounts: after a power cut the file is
 * consistent as it is.
 */
export async function makeDisk({
  program,
  path,
  sizeMiB,
  signal,
}: {
  /** qemu-img */
  readonly program: string;
  readonly path: string;
  readonly sizeMiB: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const args = ['create', '-q', '-f', 'qcow2', '-o', 'lazy_refcounts=off', path, `${sizeMiB}M`];
  const { promisify } = await import('node:util');
  try {
    await promisify(execFile)(program, args, { ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Unavailable(`qemu-img could not make "${path}"`, { cause });
  }
}
