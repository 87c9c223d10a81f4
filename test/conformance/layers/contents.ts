import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Test } from 'tap';
import { inMount } from '../../helpers/overlay.ts';
import { type MemberSpec, makeTar, readAll } from '../../helpers/tar.ts';
import { commit, type MakeLayers, read, shown } from './system.ts';

/** What a tar holds is what is shown, and what comes back. */
export function testContents(t: Test, make: MakeLayers): void {
  t.test('a layer shows what its tar holds', async (t) => {
    const system = make(t);
    const layer = await commit(system, [
      { path: './', type: 'directory' },
      { path: 'bin/', type: 'directory', uid: 7, gid: 8 },
      { path: 'bin/su', content: 'su', mode: 0o4755, uid: 1, gid: 2, mtimeNs: 1_700_000_000_500_000_000n },
      { path: 'bin/hard', type: 'hardlink', linkPath: 'bin/su' },
      { path: 'tmp', type: 'directory', mode: 0o1777, mtimeNs: 5_000_000_000n },
      { path: 'tmp/\xff\xfe', content: 'bytes' },
      { path: 'link', type: 'symlink', linkPath: '/bin/su', uid: 3, gid: 4 },
      { path: 'null', type: 'character', deviceMajor: 1, deviceMinor: 3, mode: 0o666, uid: 5 },
      { path: 'pipe', type: 'fifo', mode: 0o600 },
      { path: 'pipe2', type: 'hardlink', linkPath: 'pipe' },
    ]);
    t.equal(layer.chainId, layer.diffId);
    t.equal(layer.sizeBytes, 7);
    t.same(system.layers.get(layer.chainId), layer);
    t.same(await shown(system, layer.chainId), [
      'bin d 755 7:8',
      'bin/hard f 4755 1:2',
      'bin/su f 4755 1:2',
      'link l 777 3:4 /bin/su',
      'null c 666 5:0',
      'pipe p 600 0:0',
      'pipe2 p 600 0:0',
      'tmp d 1777 0:0',
      'tmp/\xff\xfe f 644 0:0',
    ]);
    await system.snapshots.prepare('x', layer.chainId);
    const script = `stat -c '%.9Y %h' bin/su; stat -c %Y tmp; stat -c %t:%T null; cat bin/hard`;
    t.equal(inMount(system.snapshots.mount('x'), script), '1700000000.500000000 2\n5\n1:3\nsu');
  });

  t.test('extended attributes are kept byte for byte, with hard links to their file', async (t) => {
    const system = make(t);
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const layer = await commit(system, [
      {
        path: 'ping',
        content: 'x'.repeat(700),
        mode: 0o755,
        xattrs: new Map([['security.capability', capability]]),
      },
      { path: 'ping6', type: 'hardlink', linkPath: 'ping' },
      {
        path: 'd',
        type: 'directory',
        xattrs: new Map([['user.binary', Buffer.from('a\n\0\xff', 'latin1')]]),
      },
      { path: 'd/evil', content: '', xattrs: new Map([['trusted.overlay.redirect', Buffer.from('/etc')]]) },
    ]);
    await system.snapshots.prepare('x', layer.chainId);
    const tar = inMount(
      system.snapshots.mount('x'),
      `tar -c --format=posix --xattrs --xattrs-include='*' ping d`,
    );
    const [ping, d, evil] = readAll(Buffer.from(tar, 'latin1'));
    t.same(ping!.xattrs.get('security.capability'), capability);
    t.same(d!.xattrs.get('user.binary'), Buffer.from('a\n\0\xff', 'latin1'));
    t.equal(evil!.xattrs.size, 0, "overlay's own attributes are not taken from a tar");
    t.equal(inMount(system.snapshots.mount('x'), 'stat -c %h ping6'), '2\n');
  });

  t.test('later entries replace earlier ones, whatever their kinds', async (t) => {
    const system = make(t);
    const members: MemberSpec[] = [
      { path: 'f', content: 'first' },
      { path: 'h', type: 'hardlink', linkPath: 'f' },
      { path: 'f', content: 'second!' },
      { path: 'd', type: 'directory' },
      { path: 'd/x', content: 'gone' },
      { path: 'd', content: 'now a file' },
      { path: 'g', content: 'file' },
      { path: 'g', type: 'directory' },
      { path: 'g/y', content: 'y' },
      { path: 's', type: 'symlink', linkPath: 'g' },
      { path: 's', content: 'not through the link' },
      { path: 'n', type: 'character', deviceMajor: 1, deviceMinor: 3 },
      { path: 'n', content: 'n' },
      { path: 'h', type: 'hardlink', linkPath: 'h' },
    ];
    const bytes = makeTar(members);
    const layer = await commit(system, bytes);
    await system.snapshots.prepare('x', layer.chainId);
    const text = inMount(system.snapshots.mount('x'), 'for f in f h d g/y s n; do cat $f; echo; done');
    t.equal(text, 'second!\nfirst\nnow a file\ny\nnot through the link\nn\n');
    t.same(await read(system.layers.readTar(layer.chainId)), bytes, 'and the tar comes back byte for byte');
  });

  t.test('the tar comes back byte for byte, junk after its end included', async (t) => {
    const system = make(t);
    const big = 'x'.repeat(1_000_000);
    const bytes = Buffer.concat([
      makeTar([
        { path: 'a', content: big },
        { path: '.wh..wh.aufs', content: 'kept too' },
        { path: `${'l'.repeat(200)}/${'m'.repeat(200)}`, content: 'long', uid: 3_000_000, mtimeNs: 1n },
        { path: 'p', content: 'p'.repeat(512), xattrs: new Map([['user.a', Buffer.from('b')]]) },
      ]),
      Buffer.from('junk'),
    ]);
    const pieces = Readable.from(slices(bytes, 70_001));
    const layer = await system.layers.commitTar(pieces, null);
    t.equal(layer.diffId, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    t.same(await read(system.layers.readTar(layer.chainId)), bytes);
  });

  t.test('the same tar on the same parent is one layer, also at the same time', async (t) => {
    const system = make(t);
    const members = [{ path: 'a', content: 'a' }];
    const both = await Promise.all([commit(system, members), commit(system, members)]);
    t.same(both[0], both[1]);
    t.same(await commit(system, members), both[0]);
    const above = await commit(system, members, both[0].chainId);
    t.not(above.chainId, both[0].chainId);
    t.equal(above.diffId, both[0].diffId);
    t.same(await shown(system, above.chainId), ['a f 644 0:0']);
  });
}

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
