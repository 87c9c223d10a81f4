import { createHash } from 'node:crypto';
import { tarOf } from './archive/tar-writer.ts';
import type { Architecture } from './os-image.ts';
import { imageTime } from './recipe.ts';
import { busyboxApplets } from './root/busybox-applets.ts';
import { FileTree } from './tree/file-tree.ts';

const name = 'busybox:latest';
const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`;
const group = 'root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nnogroup:x:65534:\n';

/**
 * The container image `busybox:latest` as an archive for `docker load`: an OCI layout (image-layout.md) that is
 * a docker archive too, as docker itself has written them since version 25.
 */
export async function makeBusyboxImage(arch: Architecture, busybox: Buffer): Promise<Buffer> {
  const layer = await tarOf(layerTree(busybox), imageTime);
  const created = new Date(imageTime * 1000).toISOString();
  const command = ['sh'];
  const config = json({
    architecture: arch,
    config: { Cmd: command, Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    created,
    history: [{ created, created_by: 'busybox-static of Debian', comment: 'first layer' }],
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [`sha256:${hex(layer)}`] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
        annotations: {
          'io.containerd.image.name': `docker.io/library/${name}`,
          'org.opencontainers.image.ref.name': 'latest',
        },
        platform: { architecture: arch, os: 'linux' },
      },
    ],
  };
  const tree = new FileTree();
  for (const blob of [layer, config, manifest]) tree.file(`/${blobPath(blob)}`, blob);
  tree.file('/index.json', json(index));
  tree.file('/oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  tree.file(
    '/manifest.json',
    json([{ Config: blobPath(config), RepoTags: [name], Layers: [blobPath(layer)] }]),
  );
  return tarOf(tree, imageTime);
}

function layerTree(busybox: Buffer): FileTree {
  const tree = new FileTree();
  for (const path of ['/bin', '/dev', '/etc', '/home', '/usr/bin', '/usr/sbin', '/var/www', '/proc', '/sys'])
    tree.directory(path);
  tree.directory('/root', 0o700);
  tree.directory('/tmp', 0o1777);
  tree.directory('/var/tmp', 0o1777);
  tree.file('/bin/busybox', busybox, 0o755);
  // Hard links, so that a copy of one program brings it along and symbolic links in /bin cost nothing.
  for (const applet of busyboxApplets(busybox))
    if (applet !== 'busybox') tree.link(`/bin/${applet}`, '/bin/busybox');
  // Scripts begin with "#!/usr/bin/env".
  tree.symlink('/usr/bin/env', '../../bin/env');
  tree.file('/etc/passwd', passwd);
  tree.file('/etc/group', group);
  tree.file('/etc/shadow', 'root:*:20000::::::\n', 0o600);
  return tree;
}

function blobPath(bytes: Buffer): string {
  return `blobs/sha256/${hex(bytes)}`;
}

function descriptor(mediaType: string, bytes: Buffer) {
  return { mediaType, digest: `sha256:${hex(bytes)}`, size: bytes.length };
}

function hex(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
