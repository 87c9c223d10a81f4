import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { InvalidParameter } from '../errors.ts';
import {
  childPath,
  type DirectoryNode,
  directoryNode,
  type Inode,
  type LeafNode,
  lookupLower,
  rootNode,
  splitName,
  type TreeNode,
  walk,
} from './layer-tree.ts';
import { emptyLower, type LowerView, opaqueListFile } from './lower-view.ts';
import { makeSpecialEntries, type SpecialEntry } from './special-entries.ts';
import { entrySeconds, fsPath, readable, type TarEntry, tarEntry, usableXattrs } from './tar-entry.ts';
import { opaqueXattr, parseWhiteout } from './whiteout.ts';

/**
 * Writes the entries of one layer tar into an overlay lower directory, `<dir>/fs`. The tar may come from
 * anyone: nothing is written outside `dir`. Calls are synchronous and cheap; what Node has no call for
 * (devices, attributes, and with them whiteouts) is made in one go by {@link finish}.
 *
 * Times lose what a double cannot hold: about a quarter of a microsecond.
 */
export class LayerWriter {
  readonly #dir: string;
  readonly #root = rootNode();
  #lower: LowerView | null;
  #needsLower = false;
  #payloads = 0;
  #sizeBytes = 0;
  #file: { fd: number; entry: TarEntry; position: number } | null = null;

  /**
   * @param dir exists and is empty
   * @param lower null when it is not known yet; see {@link needsLower}
   */
  constructor(dir: string, lower: LowerView | null) {
    this.#dir = dir;
    this.#lower = lower;
    mkdirSync(`${dir}/fs`, { mode: 0o755 });
    const below = lower?.lookup('.');
    if (below?.kind === 'directory') this.#attributes(this.#root, fromStat('.', 'directory', below.stat));
  }

  /** Sum of the sizes of files in the tar. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** The tar leans on files of lower layers, which were not known: the layer must be written again with them. */
  get needsLower(): boolean {
    return this.#needsLower;
  }

  /**
   * Begins an entry. Returns where its payload goes (a byte string relative to `fs/`), or null when it is
   * not kept as a file. Throws InvalidParameter for an entry that is malformed or leads out of the layer.
   */
  entry(entry: TarEntry): string | null {
    this.#sizeBytes += entry.size;
    const parts = splitName(entry.path);
    const name = parts.pop();
    if (name === undefined) {
      if (entry.type !== 'directory')
        throw new InvalidParameter('malformed layer: its root is not a directory');
      this.#attributes(this.#root, entry);
      return null;
    }
    const directory = this.#walk(parts);
    const whiteout = parseWhiteout(name);
    if (whiteout) {
      if (whiteout.kind === 'opaque') directory.opaque = true;
      if (whiteout.kind === 'delete') directory.whiteouts.add(whiteout.name);
      return null;
    }
    return this.#put(directory, name, entry);
  }

  payload(bytes: Buffer): void {
    const file = this.#file;
    if (!file) return;
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(file.fd, bytes, at, bytes.length - at, file.position + at);
    }
    file.position += bytes.length;
  }

  done(): void {
    const file = this.#file;
    if (!file) return;
    this.#file = null;
    try {
      fchownSync(file.fd, file.entry.uid, file.entry.gid);
      fchmodSync(file.fd, file.entry.mode);
      const time = entrySeconds(file.entry);
      futimesSync(file.fd, time, time);
    } finally {
      closeSync(file.fd);
    }
  }

  /** Makes special files and sets the times of directories. To be called once, with the lower layers. */
  async finish(lower: LowerView): Promise<void> {
    this.#lower = lower;
    const opaque: string[] = [];
    await makeSpecialEntries(`${this.#dir}/fs`, this.#specials(this.#root, lower, new Map(), opaque));
    if (opaque.length > 0) writeFileSync(`${this.#dir}/${opaqueListFile}`, opaque.join('\0'), 'latin1');
    this.#directoryTimes(this.#root);
  }

  /** Closes what is open. The caller removes the directory. */
  abort(): void {
    if (this.#file) closeSync(this.#file.fd);
    this.#file = null;
  }

  #put(directory: DirectoryNode, name: string, entry: TarEntry): string | null {
    const path = childPath(directory, name);
    const before = directory.children.get(name);
    if (entry.type === 'directory') {
      if (before?.kind === 'directory') this.#attributes(before, entry);
      else {
        if (before) this.#remove(before);
        this.#attributes(this.#makeDirectory(directory, name), entry);
      }
      return null;
    }
    // Found before the old entry goes: a link to itself must not lose the file.
    const target = entry.type === 'hardlink' ? this.#linkTarget(entry) : null;
    if (entry.type === 'hardlink' && (!target || target === before)) return null;
    if (before) this.#remove(before);
    const leaf = target ? this.#link(path, target) : this.#make(path, entry);
    directory.children.set(name, leaf);
    return leaf.payload === null ? null : path;
  }

  #make(path: string, entry: TarEntry): LeafNode {
    const file = fsPath(this.#at(path));
    const xattrs = usableXattrs(entry);
    const inode: Inode = { entry: { ...entry, xattrs }, special: xattrs.size > 0 || isSpecial(entry) };
    if (isSpecial(entry)) return { kind: 'leaf', path, inode, payload: null, onDisk: false };
    if (entry.type === 'symlink') {
      if (entry.linkPath === '') {
        throw new InvalidParameter(`malformed layer: symbolic link "${readable(path)}" has no target`);
      }
      symlinkSync(fsPath(entry.linkPath), file);
      lchownSync(file, entry.uid, entry.gid);
      lutimesSync(file, entrySeconds(entry), entrySeconds(entry));
      return { kind: 'leaf', path, inode, payload: null, onDisk: true };
    }
    const fd = openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
    this.#file = { fd, entry, position: 0 };
    return { kind: 'leaf', path, inode, payload: entry.size > 0 ? this.#payloads++ : null, onDisk: true };
  }

  #link(path: string, target: LeafNode): LeafNode {
    const onDisk = !target.inode.special;
    if (onDisk) linkSync(fsPath(this.#at(target.path)), fsPath(this.#at(path)));
    return { kind: 'leaf', path, inode: target.inode, payload: null, onDisk };
  }

  /** Null when it can only be in lower layers that are not known. */
  #linkTarget(entry: TarEntry): LeafNode | null {
    const parts = splitName(entry.linkPath);
    const name = parts.pop();
    const directory = this.#walk(parts);
    const node = name === undefined ? directory : directory.children.get(name);
    if (node?.kind === 'leaf') return node;
    if (node || name === undefined) {
      throw new InvalidParameter(`malformed layer: "${readable(entry.path)}" is a hard link to a directory`);
    }
    if (!this.#lower) {
      this.#needsLower = true;
      return null;
    }
    const below = lookupLower(this.#lower, directory, name);
    if (below?.kind !== 'other' || !below.stat.isFile()) {
      throw new InvalidParameter(
        `malformed layer: "${readable(entry.path)}" is a hard link to "${readable(entry.linkPath)}", which is no file`,
      );
    }
    return this.#copyUp(directory, name, below.file, below.stat);
  }

  /** As overlay does before it links a lower file. */
  #copyUp(directory: DirectoryNode, name: string, from: string, stat: Stats): LeafNode {
    const path = childPath(directory, name);
    const file = fsPath(this.#at(path));
    const entry = fromStat(path, 'file', stat);
    copyFileSync(fsPath(from), file, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    lchownSync(file, entry.uid, entry.gid);
    chmodSync(file, entry.mode);
    lutimesSync(file, entrySeconds(entry), entrySeconds(entry));
    const leaf: LeafNode = {
      kind: 'leaf',
      path,
      inode: { entry, special: false },
      payload: null,
      onDisk: true,
    };
    directory.children.set(name, leaf);
    return leaf;
  }

  #walk(parts: readonly string[]): DirectoryNode {
    return walk(this.#root, parts, (directory, name) => {
      // Without lower layers a missing directory may be a symbolic link there.
      if (!this.#lower) this.#needsLower = true;
      const below = lookupLower(this.#lower ?? emptyLower, directory, name);
      if (below?.kind === 'symlink') return below;
      const made = this.#makeDirectory(directory, name);
      if (below?.kind === 'directory') this.#attributes(made, fromStat(made.path, 'directory', below.stat));
      return made;
    });
  }

  #makeDirectory(parent: DirectoryNode, name: string): DirectoryNode {
    const made = directoryNode(childPath(parent, name), parent);
    mkdirSync(fsPath(this.#at(made.path)), { mode: 0o755 });
    parent.children.set(name, made);
    return made;
  }

  #attributes(directory: DirectoryNode, entry: TarEntry): void {
    directory.entry = { ...entry, path: directory.path || '.', xattrs: usableXattrs(entry) };
    const path = fsPath(this.#at(directory.path));
    chownSync(path, entry.uid, entry.gid);
    chmodSync(path, entry.mode);
  }

  /** Payload that tar-split refers to is kept aside under its number. */
  #remove(node: TreeNode): void {
    if (node.kind === 'directory') {
      for (const child of node.children.values()) this.#remove(child);
      rmdirSync(fsPath(this.#at(node.path)));
    } else if (node.payload !== null) {
      mkdirSync(`${this.#dir}/replaced`, { recursive: true });
      renameSync(fsPath(this.#at(node.path)), `${this.#dir}/replaced/${node.payload}`);
    } else if (node.onDisk) unlinkSync(fsPath(this.#at(node.path)));
  }

  /**
   * Whiteouts are made only over something: elsewhere they are litter that overlay shows in listings.
   *
   * @param lower null where this layer hides it
   * @param made the first path of each special inode; later ones are links to it
   */
  *#specials(
    directory: DirectoryNode,
    lower: LowerView | null,
    made: Map<Inode, string>,
    opaque: string[],
  ): Generator<SpecialEntry> {
    const isOpaque = directory.opaque && lower?.lookup(directory.path || '.')?.kind === 'directory';
    if (isOpaque) opaque.push(directory.path || '.');
    const entry =
      directory.entry ?? tarEntry({ path: directory.path || '.', type: 'directory', mode: 0o755 });
    if (isOpaque) {
      const xattrs = new Map([...entry.xattrs, [opaqueXattr, Buffer.from('y')]]);
      yield { entry: { ...entry, xattrs } };
    } else if (entry.xattrs.size > 0) yield { entry };
    const below = isOpaque ? null : lower;
    for (const name of directory.whiteouts) {
      const path = childPath(directory, name);
      const child = directory.children.get(name);
      if (child?.kind === 'directory') child.opaque = true;
      else if (!child && below?.lookup(path)) yield { entry: tarEntry({ path, type: 'character', mode: 0 }) };
    }
    for (const child of directory.children.values()) {
      if (child.kind === 'directory') yield* this.#specials(child, below, made, opaque);
      else if (child.inode.special) yield this.#special(child, made);
    }
  }

  #special({ path, inode, onDisk }: LeafNode, made: Map<Inode, string>): SpecialEntry {
    const first = made.get(inode);
    if (first !== undefined) {
      return { entry: tarEntry({ path, type: 'hardlink', linkPath: first, mode: inode.entry.mode }) };
    }
    made.set(inode, path);
    return { entry: { ...inode.entry, path }, ...(onDisk && { content: this.#at(path) }) };
  }

  #directoryTimes(directory: DirectoryNode): void {
    for (const child of directory.children.values())
      if (child.kind === 'directory') this.#directoryTimes(child);
    if (!directory.entry) return;
    const time = entrySeconds(directory.entry);
    utimesSync(fsPath(this.#at(directory.path)), time, time);
  }

  #at(path: string): string {
    return `${this.#dir}/fs/${path}`;
  }
}

function isSpecial({ type }: TarEntry): boolean {
  return type === 'character' || type === 'block' || type === 'fifo';
}

function fromStat(path: string, type: 'file' | 'directory', stat: Stats): TarEntry {
  const mtimeNs = BigInt(Math.floor(stat.mtimeMs * 1e6));
  return tarEntry({
    path,
    type,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    mtimeNs,
  });
}
