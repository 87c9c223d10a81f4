import { readAll } from '../tree/content.ts';
import type { FileTree, Node } from '../tree/file-tree.ts';

const modeBits = {
  file: 0o100000,
  directory: 0o040000,
  character: 0o020000,
  block: 0o060000,
  symlink: 0o120000,
} as const;

/**
 * A newc archive of a small tree, in memory, as the kernel unpacks into its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Device nodes are only words here, so making
 * them needs no rights. Hard links are not kept: every name gets its own copy.
 */
export async function cpioOf(tree: FileTree, mtime: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let number = 0;
  for (const { path, node } of tree.entries()) {
    number += 1;
    parts.push(
      ...record({
        name: path.slice(1),
        number,
        mode: modeBits[node.kind] | node.mode,
        mtime,
        node,
        data: await dataOf(node),
      }),
    );
  }
  parts.push(
    ...record({ name: 'TRAILER!!!', number: 0, mode: 0, mtime: 0, node: null, data: Buffer.alloc(0) }),
  );
  return Buffer.concat(parts);
}

async function dataOf(node: Node): Promise<Buffer> {
  if (node.kind === 'file') return readAll(node.content);
  return Buffer.from(node.kind === 'symlink' ? node.target : '');
}

interface Record {
  readonly name: string;
  readonly number: number;
  readonly mode: number;
  readonly mtime: number;
  readonly node: Node | null;
  readonly data: Buffer;
}

function record({ name, number, mode, mtime, node, data }: Record): Buffer[] {
  const isDevice = node?.kind === 'character' || node?.kind === 'block';
  const nameBytes = Buffer.from(`${name}\0`);
  const fields = [
    number,
    mode,
    node?.uid ?? 0,
    node?.gid ?? 0,
    node?.kind === 'directory' ? 2 : 1,
    mtime,
    data.length,
    0,
    0,
    isDevice ? node.major : 0,
    isDevice ? node.minor : 0,
    nameBytes.length,
    0,
  ];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, nameBytes, padding(header.length + nameBytes.length), data, padding(data.length)];
}

function padding(length: number): Buffer {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
