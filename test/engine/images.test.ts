import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { nthChange } from '../helpers/nth-change.ts';
import { type MemberSpec, makeTar, readAll } from '../helpers/tar.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;
const sha256 = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');

interface Spec {
  readonly tag: string | null;
  readonly layers: readonly (readonly MemberSpec[])[];
  readonly created?: string;
  readonly labels?: Record<string, string>;
}

/** An archive as `docker save` made them before version 25: a directory a layer, the manifest last. */
function oldArchive(...specs: readonly Spec[]): Buffer {
  const members: MemberSpec[] = [];
  const manifest = specs.map(({ tag, layers, created = '2020-01-01T00:00:00Z', labels }) => {
    const tars = layers.map((layer) => makeTar(layer));
    const config = JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created,
      config: { Cmd: ['true'], Labels: labels ?? null },
      rootfs: { type: 'layers', diff_ids: tars.map((tar) => `sha256:${sha256(tar)}`) },
      history: tars.map((_, i) => ({ created, created_by: `step ${i}` })),
    });
    for (const tar of tars)
      members.push({ path: `${sha256(tar)}/layer.tar`, content: tar.toString('latin1') });
    members.push({ path: `${sha256(config)}.json`, content: config });
    return {
      Config: `${sha256(config)}.json`,
      RepoTags: tag === null ? null : [tag],
      Layers: tars.map((tar) => `${sha256(tar)}/layer.tar`),
    };
  });
  return makeTar([...members, { path: 'manifest.json', content: JSON.stringify(manifest) }]);
}

const one: Spec = {
  tag: 'one:1',
  layers: [[{ path: 'a', content: 'a' }], [{ path: '.wh.a' }, { path: 'b', content: 'b' }]],
};

async function open(t: Test): Promise<EngineHarness & { load: (bytes: Buffer) => Promise<string> }> {
  const engine = await EngineHarness.open(t);
  return Object.assign(engine, { load: (bytes: Buffer) => engine.output(['load'], { input: bytes }) });
}

t.test('docker load takes old archives, compressed or not, and says what it took', { skip }, async (t) => {
  const engine = await open(t);
  const archive = oldArchive(one);
  const xz = execFileSync('xz', ['-c'], { input: archive });
  for (const [name, bytes] of [
    ['plain', archive],
    ['gzip', gzipSync(archive)],
    ['zstd', zstdCompressSync(archive)],
    ['xz', xz],
  ] as const) {
    t.match(await engine.load(bytes), 'Loaded image: one:1', name);
    t.match(await engine.output(['rmi', 'one:1']), /Untagged: one:1\nDeleted: sha256:/, name);
  }
  t.same(readdirSync(join(engine.dataRoot, 'layers')), ['0'], 'nothing of them is left');
});

t.test(
  'an archive with several images shares layers, and an unnamed image has its id',
  { skip },
  async (t) => {
    const engine = await open(t);
    const other: Spec = {
      tag: null,
      layers: [one.layers[0]!, [{ path: 'c', content: 'c' }], [{ path: 'c', content: 'c' }]],
    };
    const said = await engine.load(oldArchive(one, other));
    t.match(said, /Loaded image: one:1\nLoaded image ID: sha256:[0-9a-f]{64}/);
    t.equal(readdirSync(join(engine.dataRoot, 'layers')).length, 1 + 4);
    t.match(
      await engine.output(['images', '--filter', 'dangling=true', '--format', '{{.Repository}}']),
      '<none>',
    );
  },
);

t.test('a name that moves leaves the old image without it', { skip }, async (t) => {
  const engine = await open(t);
  await engine.load(oldArchive(one));
  const said = await engine.load(oldArchive({ ...one, layers: [[{ path: 'new', content: 'n' }]] }));
  t.match(
    said,
    /The image one:1 already exists, renaming the old one with ID sha256:[0-9a-f]+ to empty string/,
  );
  t.equal((await engine.output(['images', '-q'])).trim().split('\n').length, 2);
});

t.test(
  'docker save gives what docker load, skopeo and itself read, always the same bytes',
  { skip },
  async (t) => {
    const engine = await open(t);
    await engine.load(oldArchive(one));
    await engine.output(['tag', 'one:1', 'localhost:5000/other/name:2']);
    const id = (await engine.output(['images', '-q', '--no-trunc', 'one:1'])).trim();
    const files = ['a', 'b'].map((name) => join(engine.directory, `${name}.tar`));
    for (const file of files) await engine.output(['save', '-o', file, 'one:1', 'localhost:5000/other/name']);
    const [first, second] = files.map((file) => readFileSync(file));
    t.ok(first!.equals(second!), 'reproducible');
    const members = readAll(first!);
    const layers = members.filter(({ path }) => path === `blobs/sha256/${sha256(makeTar(one.layers[1]!))}`);
    t.equal(layers[0]?.content, makeTar(one.layers[1]!).toString('latin1'), 'layers come back byte for byte');

    const inspect = (reference: string) =>
      JSON.parse(execFileSync('skopeo', ['inspect', '--config', reference]).toString());
    const expected = JSON.parse(members.find(({ path }) => path === `blobs/sha256/${id.slice(7)}`)!.content);
    t.same(inspect(`docker-archive:${files[0]}:one:1`).rootfs, expected.rootfs);
    const layout = join(engine.directory, 'layout');
    mkdirSync(layout);
    execFileSync('tar', ['-xf', files[0]!, '-C', layout]);
    const copied = join(engine.directory, 'copied.tar');
    execFileSync('skopeo', ['copy', '-q', `oci:${layout}:2`, `oci-archive:${copied}:x/y:3`]);

    await engine.output(['rmi', '-f', id]);
    t.match(await engine.load(first!), /Loaded image: one:1\nLoaded image: localhost:5000\/other\/name:2/);
    t.match(
      await engine.load(readFileSync(copied)),
      'Loaded image: x/y:3',
      'an OCI archive with gzipped layers',
    );
    t.equal((await engine.output(['images', '-q', '--no-trunc', 'x/y'])).trim(), id);
  },
);

t.test('broken and hostile archives are refused with a sentence and leave nothing', { skip }, async (t) => {
  const engine = await open(t);
  const layer = makeTar([{ path: 'x', content: 'x' }]);
  const config = (diffId: string) => JSON.stringify({ rootfs: { diff_ids: [diffId] } });
  const archive = (manifest: unknown, members: readonly MemberSpec[]) =>
    makeTar([...members, { path: 'manifest.json', content: JSON.stringify(manifest) }]);
  const item = [{ Config: 'c.json', RepoTags: ['x:1'], Layers: ['l.tar'] }];
  const table: [string, Buffer, RegExp][] = [
    ['no tar', Buffer.from('hello world'.repeat(100)), /malformed tar/],
    ['no manifest', makeTar([{ path: 'x', content: 'x' }]), /neither manifest.json nor index.json/],
    ['no config', archive(item, []), /"c.json" is missing/],
    [
      'no layer',
      archive(item, [{ path: 'c.json', content: config(`sha256:${sha256(layer)}`) }]),
      /"l.tar" is missing/,
    ],
    [
      'wrong layer',
      archive(item, [
        { path: 'c.json', content: config(`sha256:${'0'.repeat(64)}`) },
        { path: 'l.tar', content: layer.toString('latin1') },
      ]),
      /invalid diffID for layer 0/,
    ],
    [
      'config that is no object',
      archive(item, [{ path: 'c.json', content: '[1]' }]),
      /invalid image configuration/,
    ],
    [
      'prototype names',
      archive(item, [{ path: 'c.json', content: '{"__proto__":{"rootfs":{}}}' }]),
      /invalid image configuration/,
    ],
    ['manifest of the wrong shape', archive({ a: 1 }, []), /manifest.json/],
    [
      'name that is none',
      archive([{ ...item[0], RepoTags: ['UPPER'] }], [{ path: 'c.json', content: config('x') }]),
      /must be lowercase/,
    ],
    [
      'blob with other bytes',
      archive(item, [{ path: `blobs/sha256/${'0'.repeat(64)}`, content: layer.toString('latin1') }]),
      /blob sha256:0+ has the bytes of sha256:/,
    ],
    [
      'layer that reaches out',
      archive(item, [
        { path: 'l.tar', content: makeTar([{ path: '../../evil', content: '' }]).toString('latin1') },
      ]),
      /leads out of the layer/,
    ],
    ['truncated gzip', gzipSync(oldArchive(one)).subarray(0, 200), /gzip data is damaged/],
    ['truncated', oldArchive(one).subarray(0, 1200), /unexpected end/],
    [
      'link loop',
      archive(item, [{ path: 'c.json', type: 'symlink', linkPath: 'c.json' }]),
      /"c.json" is missing/,
    ],
  ];
  for (const [name, bytes, message] of table) {
    const { exitCode, stderr } = await engine.docker(['load'], { input: bytes });
    t.match(stderr, message, name);
    t.equal(exitCode, 1, name);
  }
  t.equal(await engine.output(['images', '-q']), '');
  t.same(readdirSync(join(engine.dataRoot, 'layers')), ['0']);
});

t.test('docker import makes an image of one layer with the changes asked for', { skip }, async (t) => {
  const engine = await open(t);
  const file = join(engine.directory, 'root.tar.gz');
  writeFileSync(file, gzipSync(makeTar([{ path: 'bin/sh', content: '#!', mode: 0o755 }])));
  const changes = [
    'CMD ["sh"]',
    'ENV A=1 B="two words"',
    'EXPOSE 80 53/udp',
    'LABEL x=y',
    'WORKDIR /w',
    'VOLUME /data',
    'USER me',
  ];
  const args = changes.flatMap((change) => ['--change', change]);
  const id = (await engine.output(['import', ...args, '-m', 'from a file', file, 'imported:1'])).trim();
  const [image] = JSON.parse(await engine.output(['image', 'inspect', 'imported:1']));
  t.match(image, {
    Id: id,
    Comment: 'from a file',
    RepoTags: ['imported:1'],
    Config: {
      Cmd: ['sh'],
      Env: ['A=1', 'B=two words'],
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Labels: { x: 'y' },
      WorkingDir: '/w',
      Volumes: { '/data': {} },
      User: 'me',
    },
  });
  const server = createServer((request, response) => {
    if (request.url === '/root.tar.gz') createReadStream(file).pipe(response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await engine.output(['import', `http://${place}/root.tar.gz`, 'imported:2']);
  t.match(JSON.parse(await engine.output(['image', 'inspect', 'imported:2'])), [
    { RootFS: image.RootFS, Comment: `Imported from http://${place}/root.tar.gz` },
  ]);
  t.match(await engine.docker(['import', `http://${place}/nosuch.tar`]), {
    exitCode: 1,
    stderr: /with status 404/,
  });
  t.match(await engine.docker(['import', '-c', 'RUN x', file]), {
    exitCode: 1,
    stderr: /invalid change "RUN x"/,
  });
});

t.test('images are listed, filtered, tagged, shown and removed as with dockerd', { skip }, async (t) => {
  const engine = await open(t);
  await engine.load(oldArchive({ ...one, labels: { role: 'base' } }));
  await engine.load(
    oldArchive({ tag: 'two:2', layers: [[{ path: 'z', content: 'z' }]], created: '2021-01-01T00:00:00Z' }),
  );
  await engine.output(['tag', 'one:1', 'alias/one:latest']);
  const names = async (...filters: string[]) =>
    (
      await engine.output([
        'images',
        '--format',
        '{{.Repository}}:{{.Tag}}',
        ...filters.flatMap((f) => ['-f', f]),
      ])
    )
      .trim()
      .split('\n')
      .sort();
  t.same(await names(), ['alias/one:latest', 'one:1', 'two:2']);
  t.same(await names('label=role=base'), ['alias/one:latest', 'one:1']);
  t.same(await names('reference=*/one'), ['alias/one:latest']);
  t.same(await names('since=one:1'), ['two:2']);
  t.same(await names('before=two:2', 'reference=one'), ['one:1']);
  t.match(await engine.docker(['images', '-f', 'nonsense=1']), {
    exitCode: 1,
    stderr: "invalid filter 'nonsense'",
  });

  const history = await engine.output([
    'history',
    '--no-trunc',
    '--format',
    '{{.ID}} {{.CreatedBy}} {{.Size}}',
    'one:1',
  ]);
  t.match(history, /^sha256:[0-9a-f]{64} step 1 1B\n<missing> step 0 1B\n$/);

  const id = (await engine.output(['images', '-q', 'one'])).trim();
  t.match(await engine.docker(['rmi', id]), {
    exitCode: 1,
    stderr: `conflict: unable to delete ${id} (must be forced) - image is referenced in multiple repositories`,
  });
  t.equal(await engine.output(['rmi', 'alias/one']), 'Untagged: alias/one:latest\n');
  t.match(await engine.output(['rmi', id]), /^Untagged: one:1\nDeleted: sha256:/);
  t.match(await engine.docker(['rmi', 'one:1']), { exitCode: 1, stderr: 'No such image: one:1' });
  t.match(await engine.docker(['tag', 'two:2', 'BAD']), { exitCode: 1 });
  t.match(await engine.output(['image', 'prune', '-af']), /untagged: two:2/);
  t.same(readdirSync(join(engine.dataRoot, 'layers')), ['0']);
});

t.test('an image that is not here is asked for where it would be', { skip }, async (t) => {
  const engine = await open(t);
  const { exitCode, stderr } = await engine.docker(['run', 'alpine']);
  t.not(exitCode, 0);
  t.match(stderr, /Unable to find image 'alpine:latest' locally\n.*Get "https:.*\/v2\/": .*refused/s);
});

t.test('kill -9 during loads leaves whole images or none', { skip }, async (t) => {
  const engine = await open(t);
  const big = oldArchive({
    tag: 'big:1',
    layers: [0, 1, 2].map((n) =>
      Array.from({ length: 400 }, (_, i) => ({ path: `${n}-${i}`, content: 'x'.repeat(5000) })),
    ),
  });
  let complete = 0;
  // Killed when the nth change in the directory of layers is seen.
  for (const changes of [1, 2, 3, 4, 5, 6]) {
    const seen = nthChange(join(engine.dataRoot, 'layers'), changes);
    const loading = engine.docker(['load'], { input: big });
    await Promise.race([seen, loading]);
    await engine.stop('SIGKILL');
    const acknowledged = (await loading).exitCode === 0;
    await engine.start();
    const ids = (await engine.output(['images', '-q'])).trim();
    if (acknowledged) t.not(ids, '', 'an acknowledged image is there');
    t.equal(
      readdirSync(join(engine.dataRoot, 'layers')).length - 1,
      ids === '' ? 0 : 3,
      'all layers or none',
    );
    if (ids === '') continue;
    complete++;
    const file = join(engine.directory, 'saved.tar');
    await engine.output(['save', '-o', file, 'big:1']);
    const blobs = readAll(readFileSync(file)).filter(
      ({ path, type }) => type === 'file' && path.startsWith('blobs/'),
    );
    t.equal(blobs.length, 1 + 1 + 3, 'and it can be read');
    await engine.output(['rmi', 'big:1']);
  }
  t.comment(`${complete} of 6 loads were complete`);
});
