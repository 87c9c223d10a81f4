import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { ContentStore } from '../../../guest/content/content-store.ts';
import { digestOf } from '../../../guest/digest.ts';

const hello = Buffer.from('hello');
const digest = digestOf(hello);
const roomy = { maxBytes: 100 };

t.test('a blob is kept under the digest of its bytes', async (t) => {
  const store = await ContentStore.open(t.testdir({}));
  t.equal(await store.size(digest), null);
  await store.ingest(digest, Readable.from([hello.subarray(0, 2), hello.subarray(2)]), roomy);
  await store.ingest(digest, Readable.from([hello]), roomy);
  t.equal(await store.size(digest), 5);
  t.same(await store.read(digest), hello);
  t.same(Buffer.concat(await (await store.stream(digest)).toArray()), hello);
  await store.remove(digest);
  await store.remove(digest);
  await t.rejects(store.read(digest), { name: 'NotFound' });
  await t.rejects(store.stream(digest), { name: 'NotFound' });
});

t.test('other bytes, too many bytes and a source that fails leave nothing', async (t) => {
  const root = t.testdir({});
  const store = await ContentStore.open(root);
  await t.rejects(
    store.ingest(digest, Readable.from([Buffer.from('other')]), roomy),
    /has the bytes of sha256:/,
  );
  await t.rejects(store.ingest(digest, Readable.from([hello]), { maxBytes: 4 }), /larger than 4 bytes/);
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
  const store = await ContentStore.open(root);
  t.same(readdirSync(join(root, 'ingest')), []);
  t.same(await store.read(digest), hello);
});
