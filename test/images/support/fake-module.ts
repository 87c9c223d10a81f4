/** A minimal 64-bit ELF file with a `.modinfo` section, as kernel modules have. */
export function fakeModule(modinfo: readonly string[]): Buffer {
  const info = Buffer.from(modinfo.map((line) => `${line}\0`).join(''));
  return elfWith([{ name: '.modinfo', bytes: info, link: 0 }]);
}

/** A minimal program that asks for shared libraries. */
export function fakeProgram(libraries: readonly string[]): Buffer {
  const strings = Buffer.from(`\0${libraries.map((name) => `${name}\0`).join('')}`);
  const dynamic = Buffer.alloc((libraries.length + 1) * 16);
  libraries.forEach((name, index) => {
    dynamic.writeBigUInt64LE(1n, index * 16);
    dynamic.writeBigUInt64LE(BigInt(strings.indexOf(`\0${name}\0`) + 1), index * 16 + 8);
  });
  return elfWith([
    { name: '.dynstr', bytes: strings, link: 0 },
    { name: '.dynamic', bytes: dynamic, link: 1 },
  ]);
}

interface Section {
  readonly name: string;
  readonly bytes: Buffer;
  /** Number of the section that goes with it; the first given one is 1. */
  readonly link: number;
}

function elfWith(given: readonly Section[]): Buffer {
  const names = Buffer.from(
    `\0${[...given.map(({ name }) => name), '.shstrtab'].map((name) => `${name}\0`).join('')}`,
  );
  const sections = [
    { name: '', bytes: Buffer.alloc(0), link: 0 },
    ...given,
    { name: '.shstrtab', bytes: names, link: 0 },
  ];
  const header = Buffer.alloc(0x40);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  let offset = header.length;
  const table = sections.map(({ name, bytes, link }) => {
    const entry = Buffer.alloc(0x40);
    entry.writeUInt32LE(name === '' ? 0 : names.indexOf(`\0${name}\0`) + 1, 0);
    entry.writeUInt32LE(name === '' ? 0 : 1, 4);
    entry.writeBigUInt64LE(BigInt(offset), 24);
    entry.writeBigUInt64LE(BigInt(bytes.length), 32);
    entry.writeUInt32LE(link, 40);
    offset += bytes.length;
    return entry;
  });
  header.writeBigUInt64LE(BigInt(offset), 0x28);
  header.writeUInt16LE(0x40, 0x3a);
  header.writeUInt16LE(sections.length, 0x3c);
  header.writeUInt16LE(sections.length - 1, 0x3e);
  return Buffer.concat([header, ...sections.map(({ bytes }) => bytes), ...table]);
}
