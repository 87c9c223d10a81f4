import t from 'tap';
import { withoutZeroPages } from '../../../drivers/qemu/migration-stream.ts';

/** Pieces of a stream, as QEMU's migration/savevm.c and ram.c write them. */
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const named = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
const filled = (byte: number) => Buffer.alloc(4096, byte);

const head = Buffer.concat([Buffer.from('QEVM'), u32(3), Buffer.from([7]), u32(3), Buffer.from('q35')]);
const start = Buffer.concat([
  Buffer.from([1]),
  ...[u32(2), named('ram'), u32(0), u32(4)],
  ...[u64(0x6000 + 0x1000 + 4), named('pc.ram'), u64(0x6000), named('pc.bios'), u64(0x1000)],
  ...[u64(0x10), Buffer.from([0x7e]), u32(2)],
]);
const part = (...pages: Buffer[]) =>
  Buffer.concat([Buffer.from([2]), u32(2), ...pages, u64(0x10), Buffer.from([0x7e]), u32(2)]);
const first = (block: string, address: number, byte: number) =>
  Buffer.concat([u64(address + 0x08), named(block), filled(byte)]);
const next = (address: number, byte: number) => Buffer.concat([u64(address + 0x28), filled(byte)]);
const zero = (address: number) => Buffer.concat([u64(address + 0x22), Buffer.from([0])]);
// Longer than what is looked through for the first section.
const devices = Buffer.concat([Buffer.from([4]), u32(9), named('timer'), Buffer.alloc(5000, 0x22)]);

async function through(stream: Buffer, chunkBytes: number): Promise<Buffer> {
  async function* chunks() {
    for (let at = 0; at < stream.length; at += chunkBytes) yield stream.subarray(at, at + chunkBytes);
  }
  const out: Buffer[] = [];
  for await (const piece of withoutZeroPages(chunks())) out.push(piece);
  return Buffer.concat(out);
}

t.test('pages of zeros are left out of main memory, and nothing else is', async (t) => {
  const stream = Buffer.concat([
    ...[head, start],
    part(first('pc.ram', 0, 1), zero(0x1000), next(0x2000, 2), zero(0x3000)),
    part(zero(0x4000), first('pc.bios', 0, 3), zero(0x1000)),
    devices,
  ]);
  const expected = Buffer.concat([
    ...[head, start],
    part(first('pc.ram', 0, 1), next(0x2000, 2)),
    part(first('pc.bios', 0, 3), zero(0x1000)),
    devices,
  ]);
  for (const chunkBytes of [1, 7, 4096, stream.length])
    t.ok((await through(stream, chunkBytes)).equals(expected), `in chunks of ${chunkBytes}`);
});

t.test('a page that is sent again stays, since it may have been other than zeros', async (t) => {
  const again = part(first('pc.ram', 0, 1), next(0x1000, 5), zero(0x2000));
  const stream = Buffer.concat([head, start, again, part(zero(0x1000)), devices]);
  const expected = Buffer.concat([
    ...[head, start],
    part(first('pc.ram', 0, 1), next(0x1000, 5)),
    ...[part(zero(0x1000)), devices],
  ]);
  t.ok((await through(stream, 4096)).equals(expected));
});

t.test('what is not known passes as it is', async (t) => {
  const compressed = Buffer.concat([u64(0x1000 + 0x120), Buffer.alloc(64, 9)]);
  for (const stream of [
    Buffer.alloc(10_000, 1),
    Buffer.from('short'),
    Buffer.concat([head, start, part(first('pc.ram', 0, 1), compressed, zero(0x3000)), devices]),
    Buffer.concat([head, start, part(first('pc.ram', 0, 1))]),
  ])
    t.ok((await through(stream, 999)).equals(stream));
});
