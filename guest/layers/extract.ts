import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { InvalidParameter } from '../errors.ts';
import type { ConfinedRoot, OpenDirectory } from './confined-root.ts';
import { splitName } from './layer-tree.ts';
import { makeSpecialEntries } from './special-entries.ts';
import { byteString, entrySeconds, readable, type TarEntry, usableXattrs } from './tar-entry.ts';
import { tarMembers } from './tar-members.ts';

export interface ExtractOptions {
  /** Refuse to put a directory in the place of a file, or a file in that of a directory. */
  readonly noOverwriteDirNonDir?: boolean;
  /** Owner of everything made; else the tar's own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Told of every file that was made: the directory it is in, and the sha256 of its bytes in hex. */
  readonly onFile?: (parent: OpenDirectory, name: string, hash: string) => void;
}

/**
 * Unpacks a tar into a directory of a container's tree: `docker cp` into it. What is there is replaced, but a
 * directory keeps what it holds. Throws NotFound or InvalidParameter for the directory, InvalidParameter for
 * a malformed tar or one that leads out of the root; what was written until then stays.
 */
export async function extractTar(
  root: ConfinedRoot,
  path: string,
  tar: AsyncIterable<Buffer>,
  options: ExtractOptions = {},
): Promise<void> {
  const base = byteString(path);
  root.open(base)[Symbol.dispose]();
  const directories: { path: string; seconds: number }[] = [];
  for await (const { entry: original, body } of tarMembers(tar)) {
    const entry = { ...original, ...options.owner, xattrs: usableXattrs(original) };
    const parts = splitName(entry.path);
    const name = parts.pop();
    if (name === undefined) continue;
    using parent = root.open([base, ...parts].join('/'), makeParent);
    replace(parent, name, entry, options);
    if (entry.type === 'directory') {
      makeDirectory(parent, name, entry);
      directories.push({ path: [base, ...parts, name].join('/'), seconds: entrySeconds(entry) });
    } else if (entry.type === 'symlink') makeSymlink(parent, name, entry);
    else if (entry.type === 'hardlink') makeLink(root, base, parent, name, entry);
    else if (entry.type === 'file') await makeFile(parent, name, entry, body, options.onFile);
    else await makeSpecialEntries(parent.processPath, [{ entry: { ...entry, path: name } }]);
  }
  for (const { path: at, seconds } of directories.reverse()) {
    using directory = root.open(at);
    futimesSync(directory.fd, seconds, seconds);
  }
}

function makeParent(parent: OpenDirectory, name: string): void {
  mkdirSync(parent.at(name), { mode: 0o755 });
}

function replace(parent: OpenDirectory, name: string, entry: TarEntry, options: ExtractOptions): void {
  const before = parent.stat(name);
  if (!before) return;
  const isDirectory = entry.type === 'directory';
  if (options.noOverwriteDirNonDir && isDirectory !== before.isDirectory()) {
    throw new InvalidParameter(
      isDirectory
        ? `cannot overwrite non-directory "${readable(name)}" with directory "${readable(entry.path)}"`
        : `cannot overwrite directory "${readable(name)}" with non-directory "${readable(entry.path)}"`,
    );
  }
  if (!isDirectory || !before.isDirectory()) parent.remove(name);
}

function makeDirectory(parent: OpenDirectory, name: string, entry: TarEntry): void {
  if (!parent.stat(name)) mkdirSync(parent.at(name), { mode: 0o700 });
  using directory = parent.child(name);
  fchownSync(directory.fd, entry.uid, entry.gid);
  fchmodSync(directory.fd, entry.mode);
}

function makeSymlink(parent: OpenDirectory, name: string, entry: TarEntry): void {
  if (entry.linkPath === '')
    throw new InvalidParameter(`malformed tar: link "${readable(name)}" has no target`);
  symlinkSync(Buffer.from(entry.linkPath, 'latin1'), parent.at(name));
  lchownSync(parent.at(name), entry.uid, entry.gid);
  lutimesSync(parent.at(name), entrySeconds(entry), entrySeconds(entry));
}

function makeLink(
  root: ConfinedRoot,
  base: string,
  parent: OpenDirectory,
  name: string,
  entry: TarEntry,
): void {
  const parts = splitName(entry.linkPath);
  const targetName = parts.pop();
  if (targetName === undefined) throw new InvalidParameter('malformed tar: a hard link to a directory');
  using target = root.open([base, ...parts].join('/'));
  linkSync(target.at(targetName), parent.at(name));
}

async function makeFile(
  parent: OpenDirectory,
  name: string,
  entry: TarEntry,
  body: AsyncIterable<Buffer>,
  onFile: ExtractOptions['onFile'],
): Promise<void> {
  const hash = onFile ? createHash('sha256') : null;
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;
  const fd = openSync(parent.at(name), flags, 0o600);
  try {
    for await (const bytes of body) {
      hash?.update(bytes);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    }
    if (hash) onFile?.(parent, name, hash.digest('hex'));
    fchownSync(fd, entry.uid, entry.gid);
    fchmodSync(fd, entry.mode);
    futimesSync(fd, entrySeconds(entry), entrySeconds(entry));
    // The content comes from the descriptor: the name may have been given to another file by now.
    if (entry.xattrs.size > 0) {
      await makeSpecialEntries(parent.processPath, [
        { entry: { ...entry, path: name }, content: `/proc/self/fd/${fd}` },
      ]);
    }
  } finally {
    closeSync(fd);
  }
}
