import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileTree } from './tree/file-tree.ts';

/** A file of a source folder that goes into an image at the same path. */
export interface OverlayFile {
  /** Absolute, in the image. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** All files below a directory, by path. Throws when the directory does not exist. */
export async function readOverlay(directory: string): Promise<OverlayFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => {
      const full = join(entry.parentPath, entry.name);
      const path = `/${full.slice(directory.length + 1).replaceAll('\\', '/')}`;
      return { path, bytes: await readFile(full) };
    });
  return (await Promise.all(files)).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A file that begins with `#!` can be executed, no other: Windows keeps no mode bits, so none are read. */
export function addOverlay(tree: FileTree, files: readonly OverlayFile[], prefix = ''): void {
  for (const { path, bytes } of files) {
    const isScript = bytes.toString('latin1', 0, 2) === '#!';
    tree.file(`${prefix}${path}`, bytes, isScript ? 0o755 : 0o644);
  }
}

/** What an overlay adds to a digest of inputs. */
export function overlayFingerprint(files: readonly OverlayFile[]): [path: string, sha256: string][] {
  return files.map(({ path, bytes }) => [path, createHash('sha256').update(bytes).digest('hex')]);
}
