import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Test } from 'tap';
import type { Digest } from '../../guest/digest.ts';
import type { LayerStore, Snapshotter } from '../../guest/layers/snapshotter.ts';
import { inMount, listing } from '../helpers/overlay.ts';
import { type MemberSpec, makeTar, readAll } from '../helpers/tar.ts';

export interface LayerSystem {
  readonly layers: LayerStore;
  readonly snapshots: Snapshotter;
  /** Where everything is kept: looked at for what must not be left. */
  readonly dataRoot: string;
}

/** What every LayerStore with its Snapshotter must do. The factory gives a fresh, empty system. */
export function testLayers(t: Test, make: (t: Test) => LayerSystem): void {
  const commit = (
    system: LayerSystem,
    members: readonly MemberSpec[] | Buffer,
    parent: Digest | null = null,
  ) => {
    const bytes = Buffer.isBuffer(members) ? members : makeTar(members);
    return system.layers.commitTar(Readable.from([bytes]), parent);
  };
  const shown = async (system: LayerSystem, parent: Digest | null) => {
    const key = `look-${Math.random()}`;
    await system.snapshots.prepare(key, parent);
    try {
      return listing(system.snapshots.mount(key));
    } finally {
      await system.snapshots.remove(key);
    }
  };

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

  t.test('whiteouts and opaque directories hide lower files', async (t) => {
    const system = make(t);
    const base = await commit(system, [
      { path: 'a', content: 'a' },
      { path: 'dir', type: 'directory' },
      { path: 'dir/one', content: '1' },
      { path: 'dir/two', content: '2' },
      { path: 'opaque', type: 'directory' },
      { path: 'opaque/old', content: 'o' },
      { path: 'again', type: 'directory' },
      { path: 'again/old', content: 'o' },
    ]);
    const top = await commit(
      system,
      [
        { path: '.wh.a' },
        { path: '.wh.never-there' },
        { path: 'dir', type: 'directory' },
        { path: 'dir/.wh.one' },
        { path: 'opaque', type: 'directory', mode: 0o700 },
        { path: 'opaque/new', content: 'n' },
        { path: 'opaque/.wh..wh..opq' },
        { path: '.wh.again' },
        { path: 'again', type: 'directory' },
        { path: 'again/new', content: 'n' },
        { path: 'fresh', type: 'directory' },
        { path: 'fresh/.wh.litter' },
        { path: '.wh..wh.plnk', content: 'aufs' },
      ],
      base.chainId,
    );
    t.same(await shown(system, top.chainId), [
      'again d 755 0:0',
      'again/new f 644 0:0',
      'dir d 755 0:0',
      'dir/two f 644 0:0',
      'fresh d 755 0:0',
      'opaque d 700 0:0',
      'opaque/new f 644 0:0',
    ]);
    await t.rejects(commit(system, [{ path: '.wh...' }]), { name: 'InvalidParameter' });
    await t.rejects(commit(system, [{ path: 'd/.wh.' }]), { name: 'InvalidParameter' });
  });

  t.test('a layer may lean on lower layers for directories, links and hard link targets', async (t) => {
    const system = make(t);
    const base = await commit(system, [
      { path: 'usr', type: 'directory', mode: 0o711, uid: 9 },
      { path: 'usr/lib', type: 'directory' },
      { path: 'usr/lib/old', content: 'old', mode: 0o600, uid: 4 },
      { path: 'lib', type: 'symlink', linkPath: 'usr/lib' },
    ]);
    const top = await commit(
      system,
      [
        { path: 'lib/new', content: 'new' },
        { path: 'hard', type: 'hardlink', linkPath: 'usr/lib/old' },
      ],
      base.chainId,
    );
    t.same(await shown(system, top.chainId), [
      'hard f 600 4:0',
      'lib l 777 0:0 usr/lib',
      'usr d 711 9:0',
      'usr/lib d 755 0:0',
      'usr/lib/new f 644 0:0',
      'usr/lib/old f 600 4:0',
    ]);
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

  t.test('a hostile tar writes nothing outside and leaves nothing', async (t) => {
    const system = make(t);
    const outside = join(system.dataRoot, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret');
    const before = everything(system.dataRoot);
    const up = '../'.repeat(20);
    const refused: [string, MemberSpec[]][] = [
      ['..', [{ path: `${up}${outside}/evil`, content: 'x' }]],
      ['.. after a directory', [{ path: `a/../../../outside/evil`, content: 'x' }]],
      ['.. as a directory', [{ path: '..', type: 'directory', mode: 0o777 }]],
      ['hard link by ..', [{ path: 'h', type: 'hardlink', linkPath: `${up}${outside}/secret` }]],
      ['hard link by absolute name', [{ path: 'h', type: 'hardlink', linkPath: `${outside}/secret` }]],
      [
        'hard link through a symbolic link',
        [
          { path: 's', type: 'symlink', linkPath: outside },
          { path: 'h', type: 'hardlink', linkPath: 's/secret' },
        ],
      ],
      ['hard link to a directory', [{ path: 'h', type: 'hardlink', linkPath: '.' }]],
      [
        'hard link into what it replaces',
        [
          { path: 'a/b', content: '' },
          { path: 'a', type: 'hardlink', linkPath: 'a/b' },
        ],
      ],
      ['whiteout of ..', [{ path: '.wh...', content: '' }]],
      [
        'link loop',
        [
          { path: 's', type: 'symlink', linkPath: 's' },
          { path: 's/x', content: '' },
        ],
      ],
      [
        'file as a directory',
        [
          { path: 'f', content: '' },
          { path: 'f/x', content: '' },
        ],
      ],
      ['root as a file', [{ path: './', content: 'x' }]],
      ['endless name', [{ path: 'n'.repeat(300), content: '' }]],
      ['endless path', [{ path: 'd/'.repeat(5000), type: 'directory' }]],
      ['empty link', [{ path: 's', type: 'symlink' }]],
    ];
    for (const [name, members] of refused) {
      await t.rejects(commit(system, members), { name: 'InvalidParameter' }, name);
    }
    t.same(everything(system.dataRoot), before, 'nothing was left of them');

    const layer = await commit(system, [
      { path: `${outside}/absolute`, content: 'inside' },
      { path: 'up', type: 'symlink', linkPath: `${up}..${outside}` },
      { path: 'up/through-relative', content: 'inside' },
      { path: 'abs', type: 'symlink', linkPath: outside },
      { path: 'abs/through-absolute', content: 'inside' },
      { path: 'abs/dir', type: 'directory', mode: 0o777 },
      { path: 'abs/.wh.secret' },
      { path: 'abs/null', type: 'character', deviceMajor: 1, deviceMinor: 3 },
      { path: 'abs/attr', content: 'x', xattrs: new Map([['user.a', Buffer.from('b')]]) },
    ]);
    const inside = await shown(system, layer.chainId);
    const base = outside.slice(1);
    for (const name of ['absolute', 'through-relative', 'through-absolute', 'dir', 'null', 'attr']) {
      t.ok(
        inside.some((line) => line.startsWith(`${base}/${name} `)),
        `${name} is inside the layer`,
      );
    }
    t.same(readdirSync(outside), ['secret']);
  });

  t.test('layers that nothing needs are collected, parents after children', async (t) => {
    const system = make(t);
    const base = await commit(system, [{ path: 'a', content: 'a' }]);
    const top = await commit(system, [{ path: 'b', content: 'b' }], base.chainId);
    await system.snapshots.prepare('x', top.chainId);
    await system.layers.collect();
    t.equal(system.layers.get(base.chainId).chainId, base.chainId);
    await system.snapshots.remove('x');
    t.same(await system.layers.collect(), [top.chainId, base.chainId]);
    t.throws(() => system.layers.get(base.chainId), { name: 'NotFound' });
    t.throws(() => system.layers.get(top.chainId), { name: 'NotFound' });
  });

  t.test('a snapshot is made once and removed any number of times', async (t) => {
    const system = make(t);
    await system.snapshots.prepare('x', null);
    await t.rejects(system.snapshots.prepare('x', null), { name: 'Conflict' });
    t.same(listing(system.snapshots.mount('x')), []);
    await system.snapshots.remove('x');
    await system.snapshots.remove('x');
    t.throws(() => system.snapshots.mount('x'), { name: 'NotFound' });
    await t.rejects(system.snapshots.prepare('y', `sha256:${'0'.repeat(64)}`), { name: 'NotFound' });
  });

  t.test(
    "a snapshot's changes are listed as docker diff does, and its tar makes the same layer",
    async (t) => {
      const system = make(t);
      const base = await commit(system, [
        { path: 'etc', type: 'directory' },
        { path: 'etc/passwd', content: 'root' },
        { path: 'etc/group', content: 'root' },
        { path: 'old', type: 'directory' },
        { path: 'old/a', content: 'a' },
        { path: 'old/sub', type: 'directory' },
        { path: 'old/sub/b', content: 'b' },
        { path: 'still', content: 's' },
      ]);
      await system.snapshots.prepare('x', base.chainId);
      inMount(
        system.snapshots.mount('x'),
        `echo more >>etc/passwd; rm etc/group; rm -r old; mkdir -p old/sub; echo n >old/new
       mkdir srv; echo f >srv/file; ln srv/file srv/link; ln -s x srv/soft`,
      );
      t.same(
        (await system.snapshots.changes('x')).map(({ kind, path }) => `${kind} ${path}`),
        [
          'modified /etc',
          'deleted /etc/group',
          'modified /etc/passwd',
          'modified /old',
          'deleted /old/a',
          'added /old/new',
          'modified /old/sub',
          'deleted /old/sub/b',
          'added /srv',
          'added /srv/file',
          'added /srv/link',
          'added /srv/soft',
        ],
      );
      t.equal(await system.snapshots.usage('x'), 'rootmore\n'.length + 2 + 2);
      const tar = await read(system.snapshots.diff('x'));
      const names = readAll(tar).map(({ path }) => path);
      t.same(
        names.filter((name) => name.includes('.wh.')),
        ['etc/.wh.group', 'old/.wh..wh..opq'],
      );
      const top = await commit(system, tar, base.chainId);
      t.same(await shown(system, top.chainId), listing(system.snapshots.mount('x')));
      t.same(await read(system.snapshots.diff('x')), tar, 'the same changes give the same bytes');
    },
  );

  t.test('what containers are given to mount on is no change', async (t) => {
    const system = make(t);
    const base = await commit(system, [
      { path: 'etc', type: 'directory', mtimeNs: 1_700_000_000_123_456_789n },
      { path: 'etc/hosts', content: "the image's own" },
    ]);
    await system.snapshots.prepare('x', base.chainId);
    inMount(
      system.snapshots.mount('x'),
      'test -f etc/hostname; test -f etc/resolv.conf; mkdir -p proc sys dev',
    );
    t.same(await system.snapshots.changes('x'), []);
    inMount(system.snapshots.mount('x'), 'echo mine >etc/hosts');
    t.same(
      (await system.snapshots.changes('x')).map(({ path }) => path),
      ['/etc/hosts'],
    );
    const names = readAll(await read(system.snapshots.diff('x'))).map(({ path }) => path);
    t.same(
      names.filter((name) => name.startsWith('etc/')),
      ['etc/', 'etc/hosts'],
    );
  });

  t.test('a snapshot without changes has an empty diff', async (t) => {
    const system = make(t);
    await system.snapshots.prepare('x', null);
    t.same(await system.snapshots.changes('x'), []);
    t.same(readAll(await read(system.snapshots.diff('x'))), []);
    t.equal(existsSync(system.dataRoot), true);
  });
}

export async function read(stream: Readable): Promise<Buffer> {
  return Buffer.concat(await stream.toArray());
}

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Every file below, except the database's. */
function everything(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.startsWith('engine.db'))
    .sort();
}
