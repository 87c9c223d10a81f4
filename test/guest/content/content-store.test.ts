import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { ContentStore } from '../../../guest/content/content-store.ts';
import { Leases } from '../../../guest/content/leases.ts';
import { digestOf } from '../../../guest/digest.ts';

const hello = Buffer.from('hello');
const digest = digestOf(hello);
const leases = new Leases();
const lease = leases.open();
const roomy = { maxBytes: 100, lease };

t.test('a blob is kept under the digest of its bytes', async (t) => {
  const store = await ContentStore.open(t.testdir({}), leases);
  t.equal(await store.size(digest), null);
  await store.ingest(digest, Readable.from([hello.subarray(0, 2), hello.subarray(2)]), roomy);
  await store.ingest(digest, Readable.from([hello]), roomy);
  t.equal(await store.size(digest), 5);
  t.same(await store.read(digest), hello);
  t.same(Buffer.concat(await (await store.stream(digest)).toArray()), hello);
});

t.test('a collection leaves what a record names or a lease holds', async (t) => {
  const ended: string[] = [];
  const own = new Leases(() => ended.push('a lease'));
  const store = await ContentStore.open(t.testdir({}), own);
  const work = own.open();
  const other = Buffer.from('other');
  await store.ingest(digest, Readable.from([hello]), { maxBytes: 100, lease: work });
  await store.ingest(digestOf(other), Readable.from([other]), { maxBytes: 100, lease: work });
  store.collect(new Set());
  t.same(await store.read(digest), hello, 'held');
  work[Symbol.dispose]();
  work[Symbol.dispose]();
  t.same(ended, ['a lease']);
  store.collect(new Set([digest]));
  t.same(await store.read(digest), hello, 'named');
  await t.rejects(store.read(digestOf(other)), { name: 'NotFound' });
  await t.rejects(store.stream(digestOf(other)), { name: 'NotFound' });
});

t.test('other bytes, too many bytes and a source that fails leave nothing', async (t) => {
  const root = t.testdir({});
  const store = await ContentStore.open(root, leases);
  await t.rejects(
    store.ingest(digest, Readable.from([Buffer.from('other')]), roomy),
    /has the bytes of sha256:/,
  );
  await t.rejects(
    store.ingest(digest, Readable.from([hello]), { maxBytes: 4, lease }),
    /larger than 4 bytes/,
  );
  const failing = async function* () {
    yield hello;
    throw new Error('the line was cut');
  };
  await t.rejects(store.ingest(digest, failing(), roomy), /the line was cut/);
  t.same(readdirSync(join(root, 'ingest')), []);
  t.same(readdirSync(join(root, 'sha256')), []);
});

t.test('opening sweeps what a crash left unfinished', async (t) => {
  const root = t.testdir({ ingest: { half: 'x' }, sha256: {} });
  writeFileSync(join(root, 'sha256', digest.slice(7)), hello);
  const store = await ContentStore.open(root, leases);
  t.same(readdirSync(join(root, 'ingest')), []);
  t.same(await store.read(digest), hello);
});
