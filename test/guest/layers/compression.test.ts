import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { verified } from '../../../guest/content/verified.ts';
import { type Digest, digestOf } from '../../../guest/digest.ts';
import { decompressed } from '../../../guest/layers/compression.ts';

const content = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000)]);
const forms: Record<string, Buffer> = {
  plain: content,
  gzip: gzipSync(content),
  zstd: zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
  xz: execFileSync('xz', ['-c'], { input: content }),
  bzip2: execFileSync('busybox', ['bzip2', '-c'], { input: content, maxBuffer: 2 * content.length }),
};

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function all(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

t.test('gzip, zstd, xz and bzip2 are recognised however the bytes come in', async (t) => {
  for (const [name, bytes] of Object.entries(forms)) {
    for (const size of [1000, 65536])
      t.ok((await all(decompressed(pieces(bytes, size)))).equals(content), name);
  }
  t.same(
    await all(decompressed(pieces(Buffer.from('abc'), 1))),
    Buffer.from('abc'),
    'less than a magic number',
  );
  t.same(await all(decompressed(pieces(Buffer.alloc(0), 1))), Buffer.alloc(0));
});

t.test('zstd may come in many frames, some of them to be skipped', async (t) => {
  const skipped = Buffer.from('5a2a4d1803000000616263', 'hex');
  const frames = Array.from({ length: 60 }, (_, i) => content.subarray(i * 10_000, (i + 1) * 10_000));
  const bytes = Buffer.concat([skipped, ...frames.flatMap((frame) => [zstdCompressSync(frame), skipped])]);
  for (const size of [7, 1000, 65536]) t.ok((await all(decompressed(pieces(bytes, size)))).equals(content));
  const junk = Buffer.concat([bytes, Buffer.from('junk')]);
  await t.rejects(all(decompressed(pieces(junk, 65536))), /the zstd data is damaged/);
});

t.test('compressed bytes are verified to the last one', async (t) => {
  for (const name of ['gzip', 'zstd', 'xz', 'bzip2']) {
    const bytes = forms[name]!;
    const check = (digest: Digest, maxBytes = bytes.length) =>
      all(decompressed(verified(pieces(bytes, 65536), { digest, maxBytes })));
    t.ok((await check(digestOf(bytes))).equals(content), name);
    await t.rejects(check(digestOf('other')), /has the bytes of sha256:/, name);
    await t.rejects(check(digestOf(bytes), bytes.length - 1), /is larger than/, name);
  }
});

t.test('damage is an error', async (t) => {
  for (const name of ['gzip', 'zstd', 'xz', 'bzip2']) {
    const whole = forms[name]!;
    const bad = Buffer.concat([whole.subarray(0, 2000), randomBytes(100), whole.subarray(2100)]);
    await t.rejects(all(decompressed(pieces(bad, 65536))), { name: 'InvalidParameter' }, `${name} damaged`);
    const short = whole.subarray(0, whole.length / 2);
    await t.rejects(
      all(decompressed(pieces(short, 65536))),
      { name: 'InvalidParameter' },
      `${name} cut short`,
    );
  }
});

t.test('an error of the source comes through as it is', async (t) => {
  const failing = async function* (head: Buffer): AsyncGenerator<Buffer> {
    yield head;
    throw new Error('the client went away');
  };
  for (const bytes of Object.values(forms)) {
    await t.rejects(all(decompressed(failing(bytes.subarray(0, 5000)))), /the client went away/);
  }
});
