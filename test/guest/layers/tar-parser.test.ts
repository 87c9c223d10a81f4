import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, lstatSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { fsPath, tarEntry } from '../../../guest/layers/tar-entry.ts';
import { encodeHeader, tarEnd } from '../../../guest/layers/tar-writer.ts';
import { makeTar, readAll, repairChecksum } from '../../helpers/tar.ts';

const long = `${'directory-with-a-long-name/'.repeat(12)}file`;

function sourceTree(dir: string): string {
  mkdirSync(join(dir, long, '..'), { recursive: true });
  writeFileSync(join(dir, long), 'deep');
  writeFileSync(join(dir, 'big'), Buffer.alloc(100_000, 'x'));
  writeFileSync(fsPath(`${dir}/not-utf8-\xff\xfe`), 'bytes');
  writeFileSync(join(dir, 'setuid'), '');
  chmodSync(join(dir, 'setuid'), 0o4755);
  utimesSync(join(dir, 'big'), 1, 1_700_000_000.5);
  linkSync(join(dir, 'big'), join(dir, 'hard'));
  symlinkSync(long, join(dir, 'soft'));
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  return dir;
}

for (const format of ['v7', 'ustar', 'gnu', 'posix']) {
  t.test(`reads what GNU tar writes as ${format}, in pieces of any size`, async (t) => {
    const dir = sourceTree(t.testdir({}));
    const exclude = ['v7', 'ustar'].includes(format) ? ['--exclude=directory-*', '--exclude=soft'] : [];
    if (format === 'v7') exclude.push('--exclude=fifo');
    const args = ['-c', `--format=${format}`, '--sort=name', ...exclude, '-C', dir, '.'];
    const bytes = execFileSync('tar', args, { maxBuffer: 1e8 });
    const members = readAll(bytes);
    for (const piece of [1, 7, 511, 512, 513, 4096]) t.same(readAll(bytes, piece), members);
    const find = (path: string) => members.find((m) => m.path === path)!;
    t.equal(find('./').type, 'directory');
    t.equal(find('./big').content.length, 100_000);
    t.equal(find('./hard').type, 'hardlink');
    t.equal(find('./hard').linkPath, './big');
    t.equal(find('./setuid').mode, 0o4755);
    t.equal(find('./not-utf8-\xff\xfe').content, 'bytes');
    t.equal(
      find('./big').mtimeNs,
      format === 'posix' ? 1_700_000_000_500_000_000n : 1_700_000_000_000_000_000n,
    );
    if (exclude.length > 0) return;
    t.equal(find('./fifo').type, 'fifo');
    t.equal(find(`./${long}`).content, 'deep');
    t.equal(find('./soft').linkPath, long);
  });
}

t.test('GNU tar reads what we write', async (t) => {
  const dir = t.testdir({});
  const name200 = 'n'.repeat(200);
  const bytes = makeTar([
    { path: 'd', type: 'directory', mode: 0o1777, mtimeNs: 5_000_000_000n },
    { path: `d/${long}`, content: 'deep' },
    { path: `d/${name200}`, content: 'x'.repeat(513), mtimeNs: 1_700_000_000_123_456_000n },
    { path: 'd/\xff', content: 'bytes' },
    { path: 'd/soft', type: 'symlink', linkPath: long },
    { path: 'd/hard', type: 'hardlink', linkPath: `d/${name200}` },
  ]);
  execFileSync('tar', ['-xp', '-C', dir], { input: bytes });
  const file = lstatSync(join(dir, 'd', name200), { bigint: true });
  t.equal(file.size, 513n);
  t.equal(file.nlink, 2n);
  t.equal(file.mtimeNs, 1_700_000_000_123_456_000n);
  t.equal(lstatSync(join(dir, 'd')).mode & 0o7777, 0o1777);
  t.equal(lstatSync(fsPath(`${dir}/d/\xff`)).size, 5);
});

t.test('every number and binary attribute survives a round trip', async (t) => {
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
  const entry = tarEntry({
    path: 'p\xe9',
    type: 'directory',
    mode: 0o7777,
    uid: 3_000_000,
    gid: 4_294_967_294,
    mtimeNs: -1_500_000_000n,
    xattrs: new Map([
      ['security.capability', capability],
      ['user.newline', Buffer.from('a\n12 b=c\n\0\xff', 'latin1')],
      ['user.empty', Buffer.alloc(0)],
    ]),
  });
  const [back] = readAll(Buffer.concat([encodeHeader(entry), tarEnd]), 100);
  t.same(back, { ...entry, path: 'p\xe9/', content: '' });
  t.same(back!.xattrs.get('security.capability'), capability);
});

t.test('global records hold until a later one, and an empty value takes a record back', async (t) => {
  const dir = t.testdir({ a: 'a' });
  const bytes = execFileSync('tar', [
    '-c',
    '--format=posix',
    '--pax-option=globexthdr.name=g,uid=77,comment=x,gid:=',
    '-C',
    dir,
    'a',
  ]);
  const [a] = readAll(bytes);
  t.equal(a!.uid, 77);
});

t.test('an archive may end right after what its last entry holds', async (t) => {
  const whole = makeTar([{ path: 'a', content: 'hello' }]);
  for (const length of [517, 600, 1024, 1536])
    t.match(readAll(whole.subarray(0, length)), [{ path: 'a', size: 5 }], `${length} bytes`);
});

t.test('malformed archives are refused with a sentence', async (t) => {
  const good = makeTar([{ path: 'a', content: 'hello' }]);
  const patched = (offset: number, text: string) => {
    const bytes = Buffer.from(good);
    bytes.write(text, offset, 'latin1');
    repairChecksum(bytes.subarray(0, 512));
    return bytes;
  };
  const table: [string, Buffer, RegExp][] = [
    ['text', Buffer.alloc(600, 'x'), /checksum|not octal/],
    ['truncated payload', good.subarray(0, 514), /unexpected end/],
    ['truncated header', good.subarray(0, 100), /unexpected end/],
    ['lone zero block', Buffer.concat([Buffer.alloc(512), good]), /lone zero block/],
    ['empty name', patched(0, '\0'), /empty name/],
    ['unknown type', patched(156, 'V'), /entry type "V"/],
    ['sparse', patched(156, 'S'), /sparse/],
    ['negative size', patched(124, '\xff'.repeat(12)), /negative size/],
    ['huge number', patched(124, `\x80${'\xff'.repeat(11)}`), /too large/],
  ];
  for (const [name, bytes, message] of table) t.throws(() => readAll(bytes), message, name);
});

t.test('broken extended headers are refused', async (t) => {
  for (const body of ['9999 a=b\n', '0 a=b\n', '6 a=b', 'x a=b\n', '6 =ab\n', '6 abc\n']) {
    const bytes = makeTar([{ path: 'x', content: body }]);
    const block = bytes.subarray(0, 512);
    block.write('x', 156);
    repairChecksum(block);
    t.throws(() => readAll(bytes), /extended header record is broken/, JSON.stringify(body));
  }
});

t.test('random damage gives entries or a sentence, never another error', async (t) => {
  const good = makeTar([
    { path: `d/${long}`, content: 'x'.repeat(600), uid: 3_000_000 },
    { path: 'l', type: 'symlink', linkPath: 'y'.repeat(150) },
    { path: 'x', xattrs: new Map([['user.a', Buffer.from('b')]]) },
  ]);
  let seed = 42;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(good.subarray(0, random(4) === 0 ? random(good.length) : good.length));
    for (let i = random(6); i >= 0 && bytes.length > 0; i--) bytes[random(bytes.length)] = random(256);
    // Half of the rounds repair checksums, so that damage gets past the first gate.
    if (round % 2)
      for (let at = 0; at + 512 <= bytes.length; at += 512) repairChecksum(bytes.subarray(at, at + 512));
    try {
      readAll(bytes, 1 + random(1000));
    } catch (error) {
      refused++;
      if ((error as Error).name !== 'InvalidParameter') throw error;
    }
  }
  t.ok(refused > 500, `${refused} of 3000 refused`);
});
