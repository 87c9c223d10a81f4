import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** What `docker save busybox` would print, of this computer's static busybox and GNU tar. */
export async function busyboxArchive(name = 'busybox:latest'): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'mb-'));
  try {
    const layer = await tar(await rootfs(join(directory, 'root')));
    const config = JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created: '2024-01-01T00:00:00Z',
      config: { Env: ['PATH=/bin'], Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
      history: [{ created: '2024-01-01T00:00:00Z', created_by: 'busybox' }],
    });
    const archive = join(directory, 'archive');
    await mkdir(archive);
    await writeFile(join(archive, 'layer.tar'), layer);
    await writeFile(join(archive, `${sha256(config)}.json`), config);
    await writeFile(
      join(archive, 'manifest.json'),
      JSON.stringify([{ Config: `${sha256(config)}.json`, RepoTags: [name], Layers: ['layer.tar'] }]),
    );
    return await tar(archive);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function rootfs(root: string): Promise<string> {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp', 'var'])
    await mkdir(join(root, name), { recursive: true });
  await chmod(join(root, 'tmp'), 0o1777);
  await copyFile('/bin/busybox', join(root, 'bin', 'busybox'));
  const { stdout } = await execa('/bin/busybox', ['--list']);
  for (const applet of stdout.split('\n').filter((name) => name !== 'busybox'))
    await symlink('busybox', join(root, 'bin', applet));
  await writeFile(
    join(root, 'etc', 'passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:99:99::/:/bin/false\n',
  );
  await writeFile(join(root, 'etc', 'group'), 'root:x:0:\nnobody:x:99:\n');
  return root;
}

async function tar(directory: string): Promise<Uint8Array> {
  const args = ['-c', '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '-C', directory, '.'];
  return (await execa('tar', args, { encoding: 'buffer' })).stdout;
}

function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}
