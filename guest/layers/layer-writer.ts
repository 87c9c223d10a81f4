import { type Stats, writeFileSync } from 'node:fs';
import { InvalidParameter } from '../errors.ts';
import { type FilesAtHand, LayerFiles } from './layer-files.ts';
import { layerSpecials } from './layer-specials.ts';
import {
  childPath,
  type DirectoryNode,
  directoryNode,
  hidesLower,
  type Inode,
  type LeafNode,
  lookupLower,
  rootNode,
  splitName,
  type TreeNode,
  walk,
} from './layer-tree.ts';
import { emptyLower, type LowerView, opaqueListFile } from './lower-view.ts';
import { makeSpecialEntries } from './special-entries.ts';
import { readable, type TarEntry, tarEntry, usableXattrs } from './tar-entry.ts';
import { parseWhiteout } from './whiteout.ts';

/**
 * Writes the entries of one layer tar into an overlay lower directory, `<dir>/fs`. The tar may come from
 * anyone: nothing is written outside `dir`. Calls are cheap, and synchronous but for large payloads; what Node
 * has no call for (devices, attributes, and with them whiteouts) is made in one go by {@link finish}.
 *
 * Times lose what a double cannot hold: about a quarter of a microsecond.
 */
export class LayerWriter {
  readonly #dir: string;
  readonly #files: LayerFiles;
  readonly #atHand: FilesAtHand;
  readonly #root = rootNode();
  #lower: LowerView | null;
  /** Directories that the tar passes through but does not name, made before the lower layers were known. */
  readonly #guessed = new Set<DirectoryNode>();
  /** Something was made, or left out, that only lower layers can tell to be right. */
  #unsure = false;
  #payloads = 0;
  #sizeBytes = 0;

  /**
   * @param dir exists and is empty
   * @param lower null when it is not known yet; see {@link fits}
   */
  constructor(dir: string, lower: LowerView | null, atHand: FilesAtHand = new Map()) {
    this.#dir = dir;
    this.#atHand = atHand;
    this.#files = new LayerFiles(dir);
    this.#lower = lower;
    if (lower) this.#inherit(this.#root, lower.lookup('.'));
    else this.#guessed.add(this.#root);
  }

  /** Sum of the sizes of files in the tar. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Whether what was written without knowing lower layers is right on these. If not, the tar leans on files
   * of theirs, and the layer must be written again with them.
   */
  fits(lower: LowerView): boolean {
    if (this.#lower) return true;
    const isRight = ({ path }: DirectoryNode) =>
      ['directory', undefined].includes(lower.lookup(path || '.')?.kind);
    return !this.#unsure && [...this.#guessed].every(isRight);
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

  /** A promise, if there is one, is to be awaited before anything else; so with {@link done}. */
  payload(bytes: Buffer): Promise<void> | undefined {
    return this.#files.write(bytes);
  }

  done(): Promise<void> | undefined {
    return this.#files.end();
  }

  /** Makes special files and sets the times of directories. To be called once, with the lower layers. */
  async finish(lower: LowerView): Promise<void> {
    this.#lower = lower;
    for (const directory of this.#guessed) this.#inherit(directory, lower.lookup(directory.path || '.'));
    const { entries, opaque } = layerSpecials(this.#root, lower, (path) => this.#files.at(path));
    await makeSpecialEntries(`${this.#dir}/fs`, entries);
    if (opaque.length > 0) writeFileSync(`${this.#dir}/${opaqueListFile}`, opaque.join('\0'), 'latin1');
    this.#directoryTimes(this.#root);
  }

  /** Closes what is open. The caller removes the directory. */
  abort(): void {
    this.#files.abort();
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
    const xattrs = usableXattrs(entry);
    const inode: Inode = { entry: { ...entry, xattrs }, special: xattrs.size > 0 || isSpecial(entry) };
    if (isSpecial(entry)) return { kind: 'leaf', path, inode, payload: null, onDisk: false };
    if (entry.type === 'symlink') {
      if (entry.linkPath === '') {
        throw new InvalidParameter(`malformed layer: symbolic link "${readable(path)}" has no target`);
      }
      this.#files.symlink(path, entry);
      return { kind: 'leaf', path, inode, payload: null, onDisk: true };
    }
    this.#files.begin(path, entry, this.#atHand.get(entry.path));
    return { kind: 'leaf', path, inode, payload: entry.size > 0 ? this.#payloads++ : null, onDisk: true };
  }

  #link(path: string, target: LeafNode): LeafNode {
    const onDisk = !target.inode.special;
    if (onDisk) this.#files.link(target.path, path);
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
      this.#unsure = true;
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
    const entry = fromStat(path, 'file', stat);
    this.#files.copy(from, path, entry);
    const inode: Inode = { entry, special: false };
    const leaf: LeafNode = { kind: 'leaf', path, inode, payload: null, onDisk: true };
    directory.children.set(name, leaf);
    return leaf;
  }

  #walk(parts: readonly string[]): DirectoryNode {
    return walk(this.#root, parts, (directory, name) => {
      const below = lookupLower(this.#lower ?? emptyLower, directory, name);
      if (below?.kind === 'symlink') return below;
      const made = this.#makeDirectory(directory, name);
      if (this.#lower) this.#inherit(made, below);
      else if (!hidesLower(directory, name)) this.#guessed.add(made);
      return made;
    });
  }

  #makeDirectory(parent: DirectoryNode, name: string): DirectoryNode {
    const made = directoryNode(childPath(parent, name), parent);
    this.#files.directory(made.path);
    parent.children.set(name, made);
    return made;
  }

  /** A directory that the tar does not name keeps the attributes of the one below. */
  #inherit(directory: DirectoryNode, below: ReturnType<LowerView['lookup']>): void {
    if (directory.entry !== null || below?.kind !== 'directory') return;
    this.#attributes(directory, fromStat(directory.path, 'directory', below.stat));
  }

  #attributes(directory: DirectoryNode, entry: TarEntry): void {
    directory.entry = { ...entry, path: directory.path || '.', xattrs: usableXattrs(entry) };
    this.#files.attributes(directory.path, entry);
  }

  /** Payload that tar-split refers to is kept aside under its number. */
  #remove(node: TreeNode): void {
    if (node.kind === 'directory') {
      for (const child of node.children.values()) this.#remove(child);
      this.#files.removeDirectory(node.path);
      if (this.#guessed.delete(node)) this.#unsure = true;
    } else if (node.payload !== null) this.#files.setAside(node.path, node.payload);
    else if (node.onDisk) this.#files.remove(node.path);
  }

  #directoryTimes(directory: DirectoryNode): void {
    for (const child of directory.children.values())
      if (child.kind === 'directory') this.#directoryTimes(child);
    if (directory.entry) this.#files.times(directory.path, directory.entry);
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
