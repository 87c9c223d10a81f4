import { readAll } from '../tree/content.ts';
import type { FileTree, Node } from '../tree/file-tree.ts';

const blockSize = 512;
const typeFlags = { file: '0', symlink: '2', character: '3', block: '4', directory: '5' } as const;

/** A ustar archive of a small tree, in memory: names in byte order, hard links as such, one time for all. */
export async function tarOf(tree: FileTree, mtime: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  const firstPaths = new Map<Node, string>();
  for (const { path, node } of tree.entries()) {
    const name = path.slice(1) + (node.kind === 'directory' ? '/' : '');
    const first = firstPaths.get(node);
    if (first !== undefined) {
      parts.push(header({ name, node, mtime, flag: '1', size: 0, linkName: first }));
      continue;
    }
    firstPaths.set(node, name);
    const data = node.kind === 'file' ? await readAll(node.content) : Buffer.alloc(0);
    const linkName = node.kind === 'symlink' ? node.target : '';
    parts.push(header({ name, node, mtime, flag: typeFlags[node.kind], size: data.length, linkName }));
    parts.push(data, Buffer.alloc((blockSize - (data.length % blockSize)) % blockSize));
  }
  parts.push(Buffer.alloc(2 * blockSize));
  return Buffer.concat(parts);
}

interface Header {
  readonly name: string;
  readonly node: Node;
  readonly mtime: number;
  readonly flag: string;
  readonly size: number;
  readonly linkName: string;
}

function header({ name, node, mtime, flag, size, linkName }: Header): Buffer {
  const bytes = Buffer.alloc(blockSize);
  const text = (value: string, at: number, length: number) => {
    if (Buffer.byteLength(value) > length) throw new Error(`"${value}" is too long for a tar header`);
    bytes.write(value, at);
  };
  const octal = (value: number, at: number, length: number) =>
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  text(name, 0, 100);
  octal(node.mode, 100, 8);
  octal(node.uid, 108, 8);
  octal(node.gid, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  text(flag, 156, 1);
  text(linkName, 157, 100);
  bytes.write('ustar\x0000', 257, 'latin1');
  const isDevice = node.kind === 'character' || node.kind === 'block';
  octal(isDevice ? node.major : 0, 329, 8);
  octal(isDevice ? node.minor : 0, 337, 8);
  bytes.fill(' ', 148, 156);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}
