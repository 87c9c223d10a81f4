import t from 'tap';
import { unpackedKernel } from '../../../images/kernel/unpacked-kernel.ts';

t.test('the kernel within a vmlinuz is found and unpacked', async (t) => {
  const kernel = elfWith({ name: 'Xen\0', type: 18 });
  t.strictSame(await unpackedKernel(vmlinuz(stored(kernel))), kernel);
});

t.test('a kernel without an entry for direct start is left alone', async (t) => {
  t.equal(await unpackedKernel(vmlinuz(stored(elfWith({ name: 'Xen\0', type: 17 })))), null);
  t.equal(await unpackedKernel(vmlinuz(stored(elfWith({ name: 'Linu', type: 18 })))), null);
});

t.test('what is no such vmlinuz is left alone', async (t) => {
  t.equal(await unpackedKernel(Buffer.alloc(0)), null);
  t.equal(await unpackedKernel(Buffer.from('MZ'.padEnd(0x400, '\0'))), null, 'arm64 has another header');
  t.equal(await unpackedKernel(vmlinuz(Buffer.from('\x1f\x8b\x08 gzip'))), null, 'compressed otherwise');
  t.equal(await unpackedKernel(vmlinuz(stored(Buffer.from('no ELF file')))), null);
});

t.test('a damaged payload is an error', async (t) => {
  const damaged = stored(elfWith({ name: 'Xen\0', type: 18 }));
  damaged[9]! |= 0x06; // a block of a type that does not exist
  await t.rejects(unpackedKernel(vmlinuz(damaged)));
});

/** Two setup sectors after the first, and the payload 16 bytes into the protected-mode code. */
function vmlinuz(payload: Buffer): Buffer {
  const head = Buffer.alloc(3 * 512 + 16);
  head.writeUInt8(2, 0x1f1);
  head.write('HdrS', 0x202);
  head.writeUInt16LE(0x20f, 0x206);
  head.writeUInt32LE(16, 0x248);
  head.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([head, payload, Buffer.from('what follows')]);
}

/** A zstd frame of one stored block (RFC 8878, sections 3.1.1.1 and 3.1.1.2), followed by the size as Linux has it. */
function stored(content: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt32LE(0xfd2fb528, 0);
  head.writeUInt8(0xa0, 4); // one segment, content size in four bytes
  head.writeUInt32LE(content.length, 5);
  const block = Buffer.alloc(3);
  block.writeUIntLE((content.length << 3) | 1, 0, 3);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  return Buffer.concat([head, block, content, size]);
}

/** Sections: none, `.notes`, names. */
function elfWith({ name, type }: { name: string; type: number }): Buffer {
  const names = Buffer.from('\0.notes\0');
  const other = Buffer.from('\x04\0\0\0\x05\0\0\0\x01\0\0\0GNU\0hello\0\0\0', 'latin1');
  const note = Buffer.alloc(20);
  note.writeUInt32LE(name.length, 0);
  note.writeUInt32LE(4, 4);
  note.writeUInt32LE(type, 8);
  note.write(name, 12, 'latin1');
  const notes = Buffer.concat([other, note]);
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01', 'latin1');
  header.writeBigUInt64LE(BigInt(64 + notes.length + names.length), 0x28);
  header.writeUInt16LE(64, 0x3a);
  header.writeUInt16LE(3, 0x3c);
  header.writeUInt16LE(2, 0x3e);
  const section = (nameAt: number, offset: number, size: number) => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(nameAt, 0);
    entry.writeBigUInt64LE(BigInt(offset), 24);
    entry.writeBigUInt64LE(BigInt(size), 32);
    return entry;
  };
  return Buffer.concat([
    header,
    notes,
    names,
    Buffer.alloc(64),
    section(1, 64, notes.length),
    section(0, 64 + notes.length, names.length),
  ]);
}
