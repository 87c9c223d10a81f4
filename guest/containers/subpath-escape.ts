import { lstatSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidParameter } from '../errors.ts';

/** The kernel's own limit (MAXSYMLINKS). */
const maxLinks = 40;

/**
 * Throws InvalidParameter when a link on the way to a path of a volume leads out of the volume, as dockerd does. Only to
 * say so: a link that is changed afterwards leads nowhere else than into the volume.
 */
export function refuseEscape(base: string, subpath: string): void {
  const way: string[] = [];
  const parts = subpath.split('/');
  let links = 0;
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (way.pop() === undefined) throw escapes(base, subpath);
      continue;
    }
    const path = join(base, ...way, part);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat?.isSymbolicLink()) {
      way.push(part);
      continue;
    }
    const target = readlinkSync(path);
    if (target.startsWith('/')) throw escapes(base, subpath);
    if (++links > maxLinks) throw new InvalidParameter('too many symbolic links');
    parts.unshift(...target.split('/'));
  }
}

function escapes(base: string, subpath: string): InvalidParameter {
  return new InvalidParameter(
    `path concatenation escapes the base directory, base: ${JSON.stringify(base)}, subpath: ${JSON.stringify(subpath)}`,
  );
}
