/** A section of a 64-bit little-endian ELF file. */
export interface ElfSection {
  readonly name: string;
  /** Index of the section that goes with it, such as the strings of `.dynamic`. */
  readonly link: number;
  bytes(): Promise<Buffer>;
}

/** Reads a part of a file; shorter at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

export function fromBuffer(file: Buffer): ReadAt {
  return async (offset, length) => file.subarray(offset, offset + length);
}

const headerSize = 0x40;
/** SHT_NOBITS: takes no place in the file. */
const noBits = 8;
/** DT_NEEDED. */
const needed = 1n;

export async function isElf(read: ReadAt): Promise<boolean> {
  return (await read(0, 4)).equals(Buffer.from('\x7fELF', 'latin1'));
}

/** Sections in the file's order (elf(5)); only what is asked for is read. Empty for a file without any. */
export async function readSections(read: ReadAt): Promise<ElfSection[]> {
  const header = await read(0, headerSize);
  if (!(await isElf(read)) || header.length < headerSize || header[4] !== 2 || header[5] !== 1)
    throw new Error('not a 64-bit little-endian ELF file');
  const [entrySize, count, namesAt] = [
    header.readUInt16LE(0x3a),
    header.readUInt16LE(0x3c),
    header.readUInt16LE(0x3e),
  ];
  const table = await read(Number(header.readBigUInt64LE(0x28)), entrySize * count);
  const sections = Array.from({ length: count }, (_, index) => {
    const entry = table.subarray(index * entrySize, (index + 1) * entrySize);
    const offset = Number(entry.readBigUInt64LE(24));
    const size = entry.readUInt32LE(4) === noBits ? 0 : Number(entry.readBigUInt64LE(32));
    return { nameAt: entry.readUInt32LE(0), link: entry.readUInt32LE(40), bytes: () => read(offset, size) };
  });
  const names = (await sections[namesAt]?.bytes()) ?? Buffer.alloc(0);
  return sections.map(({ nameAt, link, bytes }) => ({ name: textAt(names, nameAt), link, bytes }));
}

/** Shared libraries that the program or library asks for by name. */
export async function neededLibraries(read: ReadAt): Promise<string[]> {
  const sections = await readSections(read);
  const section = sections.find(({ name }) => name === '.dynamic');
  if (section === undefined) return [];
  const dynamic = await section.bytes();
  const strings = (await sections[section.link]?.bytes()) ?? Buffer.alloc(0);
  const found: string[] = [];
  for (let at = 0; at + 16 <= dynamic.length; at += 16)
    if (dynamic.readBigUInt64LE(at) === needed)
      found.push(textAt(strings, Number(dynamic.readBigUInt64LE(at + 8))));
  return found;
}

function textAt(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start, bytes.indexOf(0, start));
}
