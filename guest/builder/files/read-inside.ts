import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotFound } from '../../errors.ts';
import { ConfinedRoot } from '../../layers/confined-root.ts';
import { BuildError } from '../build-error.ts';
import { SourceMissing, select } from './select.ts';

/** Dockerfiles and ignore files are a few KiB. */
const maxBytes = 8 * 1024 * 1024;

/** A file below a directory, links followed inside it; null when there is none. Throws BuildError for a large one. */
export function readFileInside(directory: string, path: string): Buffer | null {
  // Most builds have no ignore file, and errors are dear.
  if (!path.includes('/') && !lstatSync(join(directory, path), { throwIfNoEntry: false })) return null;
  using root = new ConfinedRoot(directory);
  try {
    const [first] = select(root, path.replace(/[*?[\\]/g, '\\$&'));
    using found = first!;
    if (found.name === null) return null;
    const fd = openSync(
      found.directory.at(found.name),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return null;
      if (stat.size > maxBytes) throw new BuildError(`${path} is larger than ${maxBytes} bytes`);
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (error instanceof NotFound || error instanceof SourceMissing) return null;
    throw error;
  }
}
