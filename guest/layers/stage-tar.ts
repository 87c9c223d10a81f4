import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Digest } from '../digest.ts';
import { EngineError, Internal, InvalidParameter } from '../errors.ts';
import type { DiskSync } from '../host/disk-sync.ts';
import { EarlySync } from './early-sync.ts';
import type { FilesAtHand } from './layer-files.ts';
import { LayerWriter } from './layer-writer.ts';
import type { LowerView } from './lower-view.ts';
import { fsPath } from './tar-entry.ts';
import { TarParser } from './tar-parser.ts';
import { readTarSplit, TarSplitWriter } from './tar-split.ts';

/** A layer directory that is written but not finished: its special files need to know the lower layers. */
export interface StagedTar {
  readonly dir: string;
  readonly diffId: Digest;
  /** Sum of file sizes. */
  readonly sizeBytes: number;
  /** Length of the tar. */
  readonly tarBytes: number;
  /** False when it leans on these lower layers more than was known: write it again from {@link readTarOf}. */
  fits(lower: LowerView): boolean;
  finish(lower: LowerView): Promise<void>;
}

export interface StageOptions {
  /** Null when it is not known yet. */
  readonly lower: LowerView | null;
  readonly disk: DiskSync;
  readonly atHand?: FilesAtHand | undefined;
}

const splitFile = 'tar-split.gz';

/**
 * Reads an uncompressed tar to its end into an empty directory: `fs/`, `tar-split.gz`, maybe `replaced/`.
 * Nothing is sure to be synced. On failure the directory is removed. Throws InvalidParameter on a malformed tar.
 */
export async function stageTar(
  tar: AsyncIterable<Buffer>,
  dir: string,
  { lower, disk, atHand }: StageOptions,
): Promise<StagedTar> {
  const hash = createHash('sha256');
  const parser = new TarParser();
  const writer = new LayerWriter(dir, lower, atHand);
  const split = new TarSplitWriter(`${dir}/${splitFile}`);
  const sync = new EarlySync(disk, dir);
  let tarBytes = 0;
  try {
    let kept = false;
    for await (const chunk of tar) {
      tarBytes += chunk.length;
      hash.update(chunk);
      for (const event of parser.push(chunk)) {
        if (event.kind === 'framing') split.framing(event.bytes);
        else if (event.kind === 'entry') {
          const path = writer.entry(event.entry);
          kept = path !== null;
          if (path !== null) split.payload(event.entry.size, path);
        } else if (event.kind === 'payload' && !kept) split.framing(event.bytes);
        else {
          const pending = event.kind === 'done' ? writer.done() : writer.payload(event.bytes);
          if (pending) await pending;
        }
      }
      await split.flush();
      sync.wrote(chunk.length);
    }
    parser.finish();
    await split.end();
  } catch (error) {
    writer.abort();
    await split.abort();
    await rm(dir, { recursive: true, force: true });
    throw explain(error);
  }
  return {
    dir,
    diffId: `sha256:${hash.digest('hex')}`,
    sizeBytes: writer.sizeBytes,
    tarBytes,
    fits: (below) => writer.fits(below),
    finish: (below) => writer.finish(below),
  };
}

/**
 * The tar that made a layer directory, byte for byte. Throws Internal when the directory is damaged or the
 * bytes are not those of `diffId`.
 */
export async function* readTarOf(dir: string, diffId: Digest): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const replaced = new Set(listReplaced(dir));
  let payloads = 0;
  for await (const record of readTarSplit(`${dir}/${splitFile}`)) {
    if (record.kind === 'framing') {
      hash.update(record.bytes);
      yield record.bytes;
      continue;
    }
    const number = String(payloads++);
    const path = replaced.has(number) ? `${dir}/replaced/${number}` : `${dir}/fs/${record.path}`;
    for (const bytes of readFile(path, record.size)) {
      hash.update(bytes);
      yield bytes;
    }
  }
  if (`sha256:${hash.digest('hex')}` !== diffId)
    throw new Internal(`the files of layer ${diffId} are damaged`);
}

/** How many bytes {@link readTarOf} gives. */
export async function tarSizeOf(dir: string): Promise<number> {
  let size = 0;
  for await (const record of readTarSplit(`${dir}/${splitFile}`)) {
    size += record.kind === 'framing' ? record.bytes.length : record.size;
  }
  return size;
}

function* readFile(path: string, size: number): Generator<Buffer> {
  const fd = openSync(fsPath(path), 'r');
  try {
    for (let left = size; left > 0; ) {
      const buffer = Buffer.allocUnsafe(Math.min(left, 256 * 1024));
      const length = readSync(fd, buffer);
      if (length === 0) throw new Internal(`"${path}" is shorter than it was`);
      left -= length;
      yield length === buffer.length ? buffer : buffer.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

function listReplaced(dir: string): string[] {
  try {
    return readdirSync(`${dir}/replaced`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** What the kernel refuses about names, links and attributes is the tar's fault; a full disk is not. */
const tarsFault = new Set([
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'EEXIST',
  'EINVAL',
  'ELOOP',
  'EMLINK',
  'EPERM',
]);

function explain(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof EngineError || !tarsFault.has(code ?? '')) return error;
  return new InvalidParameter(`malformed layer: an entry cannot be made: ${message.split(',')[0]}`, {
    cause: error,
  });
}
