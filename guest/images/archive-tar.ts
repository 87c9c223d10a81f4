import { type Digest, hexOf } from '../digest.ts';
import { tarEntry } from '../layers/tar-entry.ts';
import { encodeHeader, tarEnd, tarPadding } from '../layers/tar-writer.ts';

/** A file of an image archive. */
export interface ArchivePart {
  /** In bytes: what `open` gives. */
  readonly size: number;
  /** That of its image; documents of the archive itself have none. */
  readonly modifiedAt?: Date;
  open(): AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** Where an OCI layout has a blob (image-spec, image-layout.md). */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/** The tar of an image archive: the directories of blobs, then its files by name. The same parts give the same bytes. */
export async function* archiveTar(parts: ReadonlyMap<string, ArchivePart>): AsyncGenerator<Buffer> {
  for (const path of ['blobs', 'blobs/sha256'])
    yield encodeHeader(tarEntry({ path, type: 'directory', mode: 0o755 }));
  for (const path of [...parts.keys()].sort()) {
    const { size, open, modifiedAt } = parts.get(path)!;
    const seconds = Math.max(0, Math.floor((modifiedAt?.getTime() ?? 0) / 1000));
    const mtimeNs = BigInt(seconds) * 1_000_000_000n;
    yield encodeHeader(tarEntry({ path, type: 'file', mode: 0o644, size, mtimeNs }));
    yield* open();
    yield tarPadding(size);
  }
  yield tarEnd;
}
