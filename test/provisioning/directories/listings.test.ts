import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { RawSftp, text } from './raw-sftp.ts';

const [opendir, readdir, name] = [11, 12, 104];

t.test('a directory is listed in one answer, and then at its end', async (t) => {
  const root = t.testdir({ shared: { a: '', b: '', sub: {} } });
  await using client = await RawSftp.open(root, { d: join(root, 'shared') });
  const { rest: handle } = await client.request(opendir, text('/d'));
  const list = () => client.request(readdir, text(handle.subarray(4)));
  const [first, end] = await Promise.all([list(), list()]);
  t.equal(first.type, name);
  t.equal(first.rest.readUInt32BE(0), 5, 'with . and ..');
  t.equal(end.rest.readUInt32BE(0), 1, 'the status of an end');
});

t.test('a large directory is listed in full packets, each name once', async (t) => {
  const root = t.testdir({ shared: {} });
  const names = Array.from({ length: 1500 }, (_, i) => `${'long-name-'.repeat(8)}${i}`);
  await Promise.all(names.map((name) => writeFile(join(root, 'shared', name), '')));
  await using client = await RawSftp.open(root, { d: join(root, 'shared') });
  const { rest: handle } = await client.request(opendir, text('/d'));
  const found: string[] = [];
  let packets = 0;
  for (;;) {
    const { type, rest } = await client.request(readdir, text(handle.subarray(4)));
    if (type !== name) break;
    packets += 1;
    let at = 4;
    for (let left = rest.readUInt32BE(0); left > 0; left--) {
      const length = rest.readUInt32BE(at);
      found.push(rest.toString('utf8', at + 4, at + 4 + length));
      // The name twice, and attributes of 32 bytes.
      at += 2 * (4 + length) + 32;
    }
    t.equal(at, rest.length);
  }
  t.same(found.sort(), ['.', '..', ...names].sort());
  t.ok(packets <= 6, `${packets} packets`);
});
