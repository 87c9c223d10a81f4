import { readlinkSync, type Stats } from 'node:fs';
import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { NotFound } from '../errors.ts';
import type { ConfinedRoot, OpenDirectory } from './confined-root.ts';
import { byteString, readable, tarEntry } from './tar-entry.ts';
import type { TarEvent } from './tar-parser.ts';
import { entriesToTar, treeEvents } from './tar-tree.ts';

/** A path of a container that `docker cp` looks at or copies from. A link at its end is not followed. */
export interface ArchivePath extends Disposable {
  /** The path's last part, as asked for: `/` for the root, `.` for what ends in it. */
  readonly name: string;
  readonly stat: Stats;
  /** Where a link points, as a path of the container; empty for anything else. */
  readonly linkTarget: string;
  /** The file or directory with all below it; every name begins with `name`. To be read before disposing. */
  tar(): Readable;
}

/** Throws NotFound when there is nothing, InvalidParameter when something on the way is no directory. */
export function openArchivePath(root: ConfinedRoot, path: string): ArchivePath {
  const absolute = posix.join('/', path);
  // `a/` and `a/.` ask for what is in a, `a` for a itself, which may be a link.
  const inside = /(?:^|\/)\.?$/.test(path) || absolute === '/';
  const name = inside
    ? /(?:^|\/)\.\/*$/.test(path)
      ? '.'
      : posix.basename(absolute) || '/'
    : posix.basename(absolute);
  const within = root.open(byteString(inside ? absolute : posix.dirname(absolute)));
  const entry = inside ? '.' : byteString(name);
  const stat = within.stat(entry);
  if (!stat) {
    within[Symbol.dispose]();
    throw new NotFound(`Could not find the file ${path}`);
  }
  return {
    name,
    stat,
    linkTarget: stat.isSymbolicLink() ? linkTarget(within, entry, absolute) : '',
    tar: () => tarOf(within, { entry, name: byteString(name), stat }),
    [Symbol.dispose]: () => within[Symbol.dispose](),
  };
}

function linkTarget(directory: OpenDirectory, name: string, path: string): string {
  const target = readable(readlinkSync(directory.at(name), 'latin1'));
  return posix.resolve(posix.dirname(path), target);
}

/** By tar's own names: what is in a directory comes after the directory itself, which that leaves out. */
const itself = './';

function tarOf(
  directory: OpenDirectory,
  { entry, name, stat }: { readonly entry: string; readonly name: string; readonly stat: Stats },
): Readable {
  const rename = (path: string) => {
    if (path === itself) return name === '/' ? name : `${name}/`;
    const rest = entry === '.' ? path : path.slice(entry.length).replace(/^\//, '');
    if (rest === '') return path.endsWith('/') ? `${name}/` : name;
    return name === '/' ? `/${rest}` : `${name}/${rest}`;
  };
  const below = treeEvents(directory.processPath, { names: [entry] });
  return entriesToTar(entry === '.' ? withItself(below, stat) : below, (item) => [
    {
      ...item,
      path: rename(item.path),
      linkPath: item.type === 'hardlink' ? rename(item.linkPath) : item.linkPath,
    },
  ]);
}

async function* withItself(below: AsyncIterable<TarEvent>, stat: Stats): AsyncGenerator<TarEvent> {
  const { mode, uid, gid, mtimeMs } = stat;
  const mtimeNs = BigInt(Math.round(mtimeMs * 1_000_000));
  yield {
    kind: 'entry',
    entry: tarEntry({ path: itself, type: 'directory', mode: mode & 0o7777, uid, gid, mtimeNs }),
  };
  yield { kind: 'done' };
  yield* below;
}
