import { posix } from 'node:path';

/** File data: in memory, or a byte range of a file on this computer that must not change until it is read. */
export type Content = Uint8Array | { readonly path: string; readonly size: number };

export interface Attributes {
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** By full name, such as `security.capability`. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

export type FileNode = Attributes & { readonly kind: 'file'; readonly content: Content };
export type SymlinkNode = Attributes & { readonly kind: 'symlink'; readonly target: string };
export type DeviceNode = Attributes & {
  readonly kind: 'character' | 'block';
  readonly major: number;
  readonly minor: number;
};
export type DirectoryNode = Attributes & { readonly kind: 'directory'; readonly children: Map<string, Node> };
/** One object at several paths is a hard link. */
export type Node = FileNode | SymlinkNode | DeviceNode | DirectoryNode;

const owned = { uid: 0, gid: 0 };
const maxLinks = 40;

/**
 * A root file system that is being put together: names in memory, big contents on disk. Paths are absolute
 * and inside the tree; symbolic links of parent directories are followed within it, so that a package's
 * `/lib/x` lands in `/usr/lib/x` of a merged-usr tree.
 */
export class FileTree {
  readonly root: DirectoryNode = directoryNode();

  /** Adds or replaces; missing parents are made. An existing directory keeps its children when a directory comes. */
  put(path: string, node: Node): void {
    const { parent, name } = this.#locate(path);
    const existing = parent.children.get(name);
    if (node.kind === 'directory' && existing !== undefined) {
      // A package's plain directory does not replace the merged-usr link of the same name.
      if (existing.kind === 'symlink' && this.get(path)?.kind === 'directory') return;
      if (existing.kind === 'directory') {
        for (const [child, value] of existing.children)
          if (!node.children.has(child)) node.children.set(child, value);
      }
    }
    parent.children.set(name, node);
  }

  file(path: string, content: string | Content, mode = 0o644): void {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    this.put(path, { kind: 'file', content: bytes, mode, ...owned });
  }

  directory(path: string, mode = 0o755): void {
    this.put(path, directoryNode(mode));
  }

  symlink(path: string, target: string): void {
    this.put(path, { kind: 'symlink', target, mode: 0o777, ...owned });
  }

  device(path: string, kind: DeviceNode['kind'], major: number, minor: number, mode = 0o600): void {
    this.put(path, { kind, major, minor, mode, ...owned });
  }

  /** A second name for what is at `existing`. Throws when nothing is there. */
  link(path: string, existing: string): void {
    const node = this.get(existing, { follow: false });
    if (node === undefined) throw new Error(`hard link "${path}" to "${existing}", which does not exist`);
    this.put(path, node);
  }

  /** Idempotent: removing nothing succeeds. */
  remove(path: string): void {
    const { parent, name } = this.#locate(path);
    parent.children.delete(name);
  }

  get(path: string, { follow = true } = {}): Node | undefined {
    return this.#walk(path, { follow, make: false });
  }

  /** Every node but the root, parents first, names in byte order. */
  *entries(): Generator<{ path: string; node: Node }> {
    yield* entriesOf(this.root, '');
  }

  #locate(path: string): { parent: DirectoryNode; name: string } {
    const clean = cleanPath(path);
    const name = posix.basename(clean);
    if (name === '') throw new Error(`"${path}" names the root`);
    const parent = this.#walk(posix.dirname(clean), { follow: true, make: true });
    if (parent?.kind !== 'directory') throw new Error(`the parent of "${path}" is not a directory`);
    return { parent, name };
  }

  #walk(path: string, { follow, make }: { follow: boolean; make: boolean }): Node | undefined {
    let todo = cleanPath(path).split('/').filter(Boolean);
    let node: Node = this.root;
    let at = '/';
    let links = 0;
    while (todo.length > 0) {
      const name = todo.shift()!;
      if (node.kind !== 'directory') return undefined;
      let child = node.children.get(name);
      if (child === undefined) {
        if (!make) return undefined;
        child = directoryNode();
        node.children.set(name, child);
      }
      if (child.kind === 'symlink' && (todo.length > 0 || follow)) {
        links += 1;
        if (links > maxLinks) throw new Error(`too many symbolic links in "${path}"`);
        todo = [...cleanPath(posix.resolve(at, child.target)).split('/').filter(Boolean), ...todo];
        node = this.root;
        at = '/';
      } else {
        node = child;
        at = posix.join(at, name);
      }
    }
    return node;
  }
}

function directoryNode(mode = 0o755): DirectoryNode {
  return { kind: 'directory', children: new Map(), mode, ...owned };
}

/** Absolute and without `.` or `..`, which can therefore not lead out of the tree. */
function cleanPath(path: string): string {
  return posix.resolve('/', path);
}

function* entriesOf(directory: DirectoryNode, prefix: string): Generator<{ path: string; node: Node }> {
  for (const name of sortedNames(directory)) {
    const node = directory.children.get(name)!;
    const path = `${prefix}/${name}`;
    yield { path, node };
    if (node.kind === 'directory') yield* entriesOf(node, path);
  }
}

/** By bytes, as EROFS's binary search wants it; JavaScript's own order is by UTF-16 units. */
export function sortedNames(directory: DirectoryNode): string[] {
  return [...directory.children.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
