import t from 'tap';
import { type Digest, digestOf } from '../../../guest/digest.ts';
import { imagesOf } from '../../../guest/images/archive-images.ts';
import type { ArchiveContents } from '../../../guest/images/archive-reader.ts';
import { formatReference } from '../../../guest/reference.ts';

const digest = (n: number): Digest => `sha256:${String(n).repeat(64)}`;

/** Images by id, each with a layer of its own. */
function archiveOf(images: Readonly<Record<string, object>>, repositories: object): ArchiveContents {
  const documents = new Map(
    Object.entries(images).map(([id, image]) => [`${id}/json`, Buffer.from(JSON.stringify(image))]),
  );
  documents.set('repositories', Buffer.from(JSON.stringify(repositories)));
  const layers = new Map(
    Object.keys(images).map((id, i) => [`${id}/layer.tar`, { diffId: digest(i), chainId: digest(i) }]),
  );
  return {
    document: (path) => documents.get(path),
    layer: (path) => layers.get(path),
    paths: [...documents.keys()],
    staged: [],
  };
}

t.test('each directory is an image on top of its parent', async (t) => {
  const cmd = (text: string) => ({ Cmd: ['/bin/sh', '-c', text] });
  const archive = archiveOf(
    {
      top: { id: 'top', parent: 'low', os: 'linux', architecture: 'amd64', container_config: cmd('two') },
      low: { id: 'low', created: '2013-06-13T14:03:50Z', architecture: 'amd64', config: { Env: ['A=1'] } },
    },
    { 'some/name': { '1': 'top', '2': 'top' } },
  );
  const [low, top] = imagesOf(archive);
  t.same(JSON.parse(low!.config.toString()), {
    architecture: 'amd64',
    config: { Env: ['A=1'] },
    created: '2013-06-13T14:03:50Z',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digest(1)] },
    history: [{ created: '2013-06-13T14:03:50Z' }],
  });
  t.same(low!.names, []);
  t.equal(top!.parent, digestOf(low!.config));
  t.same(
    top!.layers.map(({ diffId }) => diffId),
    [digest(1), digest(0)],
  );
  const { rootfs, history, id, parent } = JSON.parse(top!.config.toString());
  t.same(rootfs.diff_ids, [digest(1), digest(0)]);
  t.same(history[1], { created_by: '/bin/sh -c two' });
  t.same([id, parent], [undefined, undefined], 'what dockerd leaves out');
  t.same(top!.names.map(formatReference), ['docker.io/some/name:1', 'docker.io/some/name:2']);
  t.same([low!.untold, top!.untold], [true, true]);
});

t.test('what is missing or turns in a circle is refused', async (t) => {
  const refused = (images: Readonly<Record<string, object>>, names: object, message: RegExp) =>
    t.throws(() => imagesOf(archiveOf(images, names)), { name: 'InvalidParameter', message });
  refused({ a: { parent: 'b' } }, {}, /"b" is no image/);
  refused({ a: { parent: 'b' }, b: { parent: 'a' } }, {}, /is no image/);
  refused({ a: {} }, { x: { y: 'z' } }, /invalid target ID: z/);
  const chain = Array.from(
    { length: 126 },
    (_, i) => [`i${i}`, i > 0 ? { parent: `i${i - 1}` } : {}] as const,
  );
  refused(Object.fromEntries(chain), {}, /max depth exceeded/);
  refused(Object.fromEntries(chain.toReversed()), {}, /max depth exceeded/);
  refused({ a: { os: 'windows' } }, {}, /cannot load windows image on linux/);
});
