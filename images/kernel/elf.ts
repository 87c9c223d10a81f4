/** A section of a 64-bit little-endian ELF file. */
export interface ElfSection {
  readonly name: string;
  readonly bytes: Buffer;
  /** Index of the section that goes with it, such as the strings of `.dynamic`. */
  readonly link: number;
}

export function isElf(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).equals(Buffer.from('\x7fELF', 'latin1'));
}

/** Sections in the file's order (elf(5)). Empty for a file that was stripped of them. */
export function readSections(file: Buffer): ElfSection[] {
  if (!isElf(file) || file[4] !== 2 || file[5] !== 1) throw new Error('not a 64-bit little-endian ELF file');
  const table = Number(file.readBigUInt64LE(0x28));
  const [entrySize, count, nameIndex] = [
    file.readUInt16LE(0x3a),
    file.readUInt16LE(0x3c),
    file.readUInt16LE(0x3e),
  ];
  const headers = Array.from({ length: count }, (_, index) => {
    const at = table + index * entrySize;
    const isBss = file.readUInt32LE(at + 4) === 8;
    const start = Number(file.readBigUInt64LE(at + 24));
    const size = isBss ? 0 : Number(file.readBigUInt64LE(at + 32));
    return {
      nameAt: file.readUInt32LE(at),
      link: file.readUInt32LE(at + 40),
      bytes: file.subarray(start, start + size),
    };
  });
  const names = headers[nameIndex]?.bytes ?? Buffer.alloc(0);
  return headers.map(({ nameAt, link, bytes }) => ({ name: textAt(names, nameAt), bytes, link }));
}

/** Shared libraries that the program or library asks for by name (`DT_NEEDED`). */
export function neededLibraries(file: Buffer): string[] {
  const sections = readSections(file);
  const dynamic = sections.find(({ name }) => name === '.dynamic');
  const strings = dynamic === undefined ? undefined : sections[dynamic.link]?.bytes;
  if (dynamic === undefined || strings === undefined) return [];
  const needed: string[] = [];
  for (let at = 0; at + 16 <= dynamic.bytes.length; at += 16)
    if (dynamic.bytes.readBigUInt64LE(at) === 1n)
      needed.push(textAt(strings, Number(dynamic.bytes.readBigUInt64LE(at + 8))));
  return needed;
}

function textAt(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start, bytes.indexOf(0, start));
}
