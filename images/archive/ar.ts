import type { FileHandle } from 'node:fs/promises';

export interface ArMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const magic = '!<arch>\n';
const headerSize = 60;

/** Members of an ar archive (deb(5)). Throws when it is not one or is cut short. */
export async function readArMembers(file: FileHandle): Promise<ArMember[]> {
  const { size: end } = await file.stat();
  if ((await textAt(file, 0, magic.length)) !== magic) throw new Error('not an ar archive');
  const members: ArMember[] = [];
  for (let at = magic.length; at + headerSize <= end; ) {
    const header = await textAt(file, at, headerSize);
    const name = header.slice(0, 16).trimEnd().replace(/\/$/, '');
    const sizeText = header.slice(48, 58).trimEnd();
    const size = Number(sizeText);
    const offset = at + headerSize;
    if (header.slice(58) !== '`\n' || !/^\d+$/.test(sizeText) || offset + size > end)
      throw new Error(`broken ar member at byte ${at}`);
    members.push({ name, offset, size });
    at = offset + size + (size % 2);
  }
  return members;
}

async function textAt(file: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.toString('latin1', 0, bytesRead);
}
