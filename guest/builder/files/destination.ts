import type { LowerNode, LowerView } from '../../layers/lower-view.ts';
import { readable } from '../../layers/tar-entry.ts';
import { BuildError } from '../build-error.ts';

/** The kernel's own limit (MAXSYMLINKS). */
const maxLinks = 40;

export interface Destination {
  /** Without links, relative to the root; empty for the root itself. */
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'nothing';
  /** Directories above it that are to be made, topmost first. */
  readonly missing: readonly string[];
}

/**
 * Where a path leads in the files of a stage, links followed inside the root. Throws BuildError when something on
 * the way is no directory.
 *
 * @param path byte string, absolute or not
 */
export function resolveDestination(lower: LowerView, path: string): Destination {
  const pending = path.split('/').reverse();
  const done: string[] = [];
  const missing: string[] = [];
  let kind: Destination['kind'] = 'directory';
  for (let links = 0, name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      done.pop();
      kind = 'directory';
      continue;
    }
    if (kind === 'file') throw new BuildError(`cannot copy to non-directory: /${readable(done.join('/'))}`);
    if (kind === 'nothing') missing.push(done.join('/'));
    const at = [...done, name].join('/');
    const node: LowerNode | null = kind === 'nothing' ? null : lower.lookup(at);
    if (node?.kind === 'symlink') {
      if (++links > maxLinks) throw new BuildError(`too many symbolic links in "${readable(path)}"`);
      if (node.target.startsWith('/')) done.splice(0);
      pending.push(...node.target.split('/').reverse());
      continue;
    }
    done.push(name);
    kind = !node ? 'nothing' : node.kind === 'directory' ? 'directory' : 'file';
  }
  return { path: done.join('/'), kind, missing };
}
