import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { FailedPrecondition, Unavailable } from '../errors.ts';

/**
 * An empty qcow2 that takes space only as it is written. No lazy refcounts: after a power cut the file is
 * consistent as it is.
 */
export async function makeDisk({
  program,
  path,
  bytes,
  signal,
}: {
  /** qemu-img */
  readonly program: string;
  readonly path: string;
  readonly bytes: number;
  readonly signal?: AbortSignal | undefined;
}): Promise<void> {
  const args = ['create', '-q', '-f', 'qcow2', '-o', 'lazy_refcounts=off', path, `${bytes}`];
  const { promisify } = await import('node:util');
  try {
    await promisify(execFile)(program, args, { ...(signal && { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Unavailable(`qemu-img could not make "${path}"`, { cause });
  }
}

/** What the guest sees, which somebody may have made larger: header of a qcow2, byte 24 (docs/interop/qcow2 in QEMU's sources). */
export async function diskBytes(path: string): Promise<number> {
  await using file = await open(path, 'r');
  const { bytesRead, buffer } = await file.read(Buffer.alloc(32), 0, 32, 0);
  if (bytesRead < 32 || buffer.toString('latin1', 0, 4) !== 'QFI\xfb')
    throw new FailedPrecondition(`"${path}" is no qcow2 disk`);
  return Number(buffer.readBigUInt64BE(24));
}
