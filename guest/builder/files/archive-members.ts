import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { InvalidParameter } from '../../errors.ts';
import { compressionOf, decompressed } from '../../layers/compression.ts';
import { readable } from '../../layers/tar-entry.ts';
import { checksum } from '../../layers/tar-fields.ts';
import { tarMembers } from '../../layers/tar-members.ts';
import { BuildError } from '../build-error.ts';
import type { Member } from './members.ts';

const blockBytes = 512;

/** The members of a local archive, plain or compressed; null when the file is none. Its paths are its own. */
export async function archiveMembers(file: string | Buffer): Promise<AsyncIterable<Member> | null> {
  const head = headOf(file);
  const isPlain = compressionOf(head) === 'none';
  if (isPlain && !isTarBlock(head)) return null;
  if (!isPlain && !(await holdsTar(file))) return null;
  return membersOf(file);
}

async function* membersOf(file: string | Buffer): AsyncGenerator<Member> {
  for await (const { entry, body } of tarMembers(decompressed(createReadStream(file)))) {
    const linkPath = entry.type === 'hardlink' ? inside(entry.linkPath) : entry.linkPath;
    yield { entry: { ...entry, path: inside(entry.path), linkPath }, content: () => body, hash: undefined };
  }
}

/** Relative to where the archive is unpacked, and never above it. */
function inside(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new BuildError(`the archive's entry "${readable(path)}" leads out of it`);
  return parts.join('/');
}

/** Not so what only begins as a compressed file does: it is copied as it is. */
async function holdsTar(file: string | Buffer): Promise<boolean> {
  let block = Buffer.alloc(0);
  try {
    for await (const piece of decompressed(createReadStream(file))) {
      block = Buffer.concat([block, piece]);
      if (block.length >= blockBytes) break;
    }
  } catch (error) {
    if (!(error instanceof InvalidParameter)) throw error;
  }
  return isTarBlock(block);
}

function isTarBlock(block: Buffer): boolean {
  if (block.length < blockBytes) return false;
  const head = block.subarray(0, blockBytes);
  const written = Number.parseInt(head.toString('latin1', 148, 156), 8);
  return written > 0 && checksum(head) === written;
}

function headOf(file: string | Buffer): Buffer {
  const fd = openSync(file, 'r');
  try {
    const head = Buffer.alloc(blockBytes);
    return head.subarray(0, readSync(fd, head));
  } finally {
    closeSync(fd);
  }
}
