import { posix } from 'node:path';
import type { Lease } from '../content/leases.ts';
import { verified } from '../content/verified.ts';
import { type Digest, digestOf, isDigest } from '../digest.ts';
import { InvalidParameter } from '../errors.ts';
import { compressionOf, decompressed } from '../layers/compression.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import { headOf, resumed } from '../layers/resumed.ts';
import type { StagedTar } from '../layers/stage-tar.ts';
import { readable } from '../layers/tar-entry.ts';
import { tarMembers } from '../layers/tar-members.ts';
import { maxConfigBytes } from './image-config.ts';

/** Where a layer's tar is: written to a directory just now, or in a layer of the store, which the lease holds. */
export type LayerSource = StagedTar | { readonly diffId: Digest; readonly chainId: Digest };

/** An image archive after one reading: its small files in memory, its layers on disk. */
export interface ArchiveContents {
  document(path: string): Buffer | undefined;
  layer(path: string): LayerSource | undefined;
  /** Where {@link document}s are, links aside. */
  readonly paths: readonly string[];
  /** Every layer that was staged; what is not used must be discarded. */
  readonly staged: readonly StagedTar[];
}

const maxDocumentsBytes = 64 * 1024 * 1024;
const maxLinks = 10;

/** A header of a tar: what shows what a member is. */
const headBytes = 512;

/**
 * Reads an archive as it streams in. What a member is shows in its first bytes, so layers go straight to
 * their directories although the manifest often comes last. On failure nothing stays. Throws
 * InvalidParameter on a malformed archive.
 */
export async function readArchive(
  archive: AsyncIterable<Buffer>,
  layers: OverlayLayerStore,
  lease: Lease,
): Promise<ArchiveContents> {
  const documents = new Map<string, Buffer>();
  const sources = new Map<string, LayerSource>();
  const links = new Map<string, string>();
  const staged: StagedTar[] = [];
  let documentBytes = 0;
  try {
    for await (const member of tarMembers(decompressed(archive))) {
      const path = normal(readable(member.entry.path));
      if (member.entry.type === 'symlink' || member.entry.type === 'hardlink') {
        const base = member.entry.type === 'symlink' ? posix.dirname(path) : '.';
        links.set(path, normal(posix.join(base, readable(member.entry.linkPath))));
      }
      if (member.entry.type !== 'file') continue;
      const iterator = member.body[Symbol.asyncIterator]();
      const head = await headOf(iterator, headBytes);
      const body = resumed(head, iterator);
      if (isLayer(head) || (head.length === 0 && posix.basename(path) === 'layer.tar')) {
        const source = known(path, layers, lease) ?? (await stage(path, head, body, layers));
        if ('dir' in source) staged.push(source);
        sources.set(path, source);
      } else if (isJson(head)) {
        documentBytes += member.entry.size;
        if (documentBytes > maxDocumentsBytes || member.entry.size > maxConfigBytes) {
          throw new InvalidParameter(`invalid image archive: "${path}" is too large`);
        }
        const bytes = await collect(body);
        checkBlob(path, digestOf(bytes));
        documents.set(path, bytes);
      }
    }
  } catch (error) {
    await Promise.all(staged.map((layer) => layers.discard(layer)));
    throw error;
  }
  const follow = (path: string) => {
    let at = normal(path);
    for (let i = 0; i < maxLinks && links.has(at); i++) at = links.get(at)!;
    return at;
  };
  return {
    document: (path) => documents.get(follow(path)),
    layer: (path) => sources.get(follow(path)),
    paths: [...documents.keys()],
    staged,
  };
}

/** A layer of the store that was made of the same tar, as far as the file's name tells. */
function known(path: string, layers: OverlayLayerStore, lease: Lease): LayerSource | undefined {
  const diffId = blobDigest(path);
  const chainId = diffId && layers.findDiff(diffId);
  if (!diffId || !chainId) return undefined;
  lease.hold(chainId);
  return { diffId, chainId };
}

async function stage(
  path: string,
  head: Buffer,
  body: AsyncIterable<Buffer>,
  layers: OverlayLayerStore,
): Promise<StagedTar> {
  const digest = blobDigest(path);
  if (compressionOf(head) !== 'none') {
    const whole = digest ? verified(body, { digest, maxBytes: Number.POSITIVE_INFINITY }) : body;
    return layers.stage(decompressed(whole));
  }
  // The digest of a plain tar is reckoned anyway.
  const layer = await layers.stage(body);
  try {
    checkBlob(path, layer.diffId);
  } catch (error) {
    await layers.discard(layer);
    throw error;
  }
  return layer;
}

async function collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

function isJson(head: Buffer): boolean {
  return /^\s*[{[]/.test(head.toString('latin1', 0, 64));
}

/** Compressed, a tar header, or a tar without entries. */
function isLayer(head: Buffer): boolean {
  if (compressionOf(head) !== 'none') return true;
  if (head.length < headBytes) return false;
  return (
    head.toString('latin1', 257, 262) === 'ustar' || head.subarray(0, headBytes).every((byte) => byte === 0)
  );
}

function blobDigest(path: string): Digest | null {
  const digest = `sha256:${/(?:^|\/)blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1]}`;
  return isDigest(digest) ? digest : null;
}

/** In an OCI layout the name of a file is the digest of its bytes. */
function checkBlob(path: string, actual: Digest): void {
  const expected = blobDigest(path);
  if (expected && expected !== actual) {
    throw new InvalidParameter(`blob ${expected} has the bytes of ${actual}`);
  }
}

function normal(path: string): string {
  return posix.normalize(path).replace(/^\/+/, '');
}
