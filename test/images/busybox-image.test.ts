import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import t from 'tap';
import { collect } from '../../images/archive/collect.ts';
import { readTar } from '../../images/archive/tar-reader.ts';
import { makeBusyboxImage } from '../../images/busybox-image.ts';

const busybox = Buffer.from('binary [\0[[\0env\0init\0sh\0\x01');

async function filesOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { name, type, linkName, body } of readTar(Readable.from([archive])))
    files.set(name, type === 'file' ? await collect(body) : Buffer.from(linkName));
  return files;
}

t.test('the image is an OCI layout and a docker archive whose parts fit together', async (t) => {
  const files = await filesOf(await makeBusyboxImage('arm64', busybox));
  const json = (name: string) => JSON.parse(files.get(name)!.toString());
  for (const [name, bytes] of files)
    if (name.startsWith('blobs/sha256/') && !name.endsWith('/'))
      t.equal(name, `blobs/sha256/${createHash('sha256').update(bytes).digest('hex')}`);
  const [docker] = json('manifest.json');
  const manifest = json(`blobs/sha256/${json('index.json').manifests[0].digest.slice(7)}`);
  t.equal(`sha256:${docker.Config.slice(13)}`, manifest.config.digest);
  t.equal(`sha256:${docker.Layers[0].slice(13)}`, manifest.layers[0].digest);
  t.strictSame(docker.RepoTags, ['busybox:latest']);
  const config = json(docker.Config);
  t.match(config, { architecture: 'arm64', os: 'linux', config: { Cmd: ['sh'] } });
  t.strictSame(config.rootfs.diff_ids, [manifest.layers[0].digest]);
  const layer = await filesOf(files.get(docker.Layers[0])!);
  t.strictSame(layer.get('bin/['), busybox, 'the first name holds the program');
  t.equal(layer.get('bin/sh')?.toString(), 'bin/[', 'the others are links to it');
  t.equal(layer.get('usr/bin/env')?.toString(), '../../bin/env');
});

t.test('the same binary gives the same image', async (t) => {
  t.ok((await makeBusyboxImage('amd64', busybox)).equals(await makeBusyboxImage('amd64', busybox)));
});
