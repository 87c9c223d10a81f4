import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import t from 'tap';
import { findMirrors, readAptSources } from '../../images/debian/mirrors.ts';
import { ensureOsImage, type OsImage } from '../../images/index.ts';
import { lacks, outputOf } from '../images/support/programs.ts';

/** Shared with the other system tests, so that packages are fetched once on a computer. */
const sharedCache = process.env.MACHINE_CACHE_PATH ?? join(tmpdir(), 'machine-test-cache');

const agentDirectory = t.testdir({ 'agent.cjs': 'console.log("agent");\n' });
const work = await mkdtemp(join(tmpdir(), 'machine-os-image-'));
t.teardown(() => rm(work, { recursive: true, force: true }));

async function whyNot(): Promise<string | false> {
  try {
    const { debian } = findMirrors({ env: process.env, aptSources: await readAptSources() });
    await fetch(`${debian}/dists/trixie/InRelease`, { method: 'HEAD', signal: AbortSignal.timeout(20_000) });
    return false;
  } catch (error) {
    return `no Debian archive in reach: ${(error as Error).message}`;
  }
}

async function build(name: string, arch: 'amd64' | 'arm64'): Promise<OsImage> {
  const cacheDirectory = join(work, name);
  return ensureOsImage({ arch, cacheDirectory, agentDirectory, bootDirectory: 'guest/boot' });
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

const filesOf = ({ kernel, initramfs, root, agent }: OsImage) => [kernel, initramfs, root, agent];

t.test('the real OS image', { skip: await whyNot(), timeout: 900_000 }, async (t) => {
  for (const arch of ['amd64', 'arm64'] as const) {
    await t.test(`is built for ${arch}, twice with the same bytes`, async (t) => {
      // Both builds unpack on their own; only verified downloads are shared.
      await mkdir(join(sharedCache, 'downloads'), { recursive: true });
      for (const name of [`${arch}-1`, `${arch}-2`]) {
        await mkdir(join(work, name));
        await symlink(join(sharedCache, 'downloads'), join(work, name, 'downloads'));
      }
      const first = await build(`${arch}-1`, arch);
      const second = await build(`${arch}-2`, arch);
      t.equal(first.digest, second.digest);
      for (const [index, path] of filesOf(first).entries())
        t.equal(await hashOf(path), await hashOf(filesOf(second)[index]!), basename(path));
      if (lacks('fsck.erofs') === false)
        for (const path of [first.root, first.agent]) outputOf('fsck.erofs', [path]);
      const names = first.manifest.packages.map(({ name }) => name);
      t.strictSame(
        names.filter((name) => /^(perl|debconf|systemd|dpkg|python)/.test(name)),
        [],
        'nothing came along that was not meant to',
      );
      const unexplained = first.manifest.packages.filter(
        ({ licences, licencesAbsent }) => licences.length === 0 && licencesAbsent === undefined,
      );
      t.strictSame(unexplained, [], 'every package has its licences, or why they are not known');
    });
  }

  await t.test('brings a container image that other tools read', { skip: lacks('skopeo') }, async (t) => {
    const { root } = await build('amd64-1', 'amd64');
    const archive = join(root, '../busybox.tar');
    const inspected = JSON.parse(outputOf('skopeo', ['inspect', `docker-archive:${archive}`]));
    t.match(inspected, { Architecture: 'amd64', Os: 'linux' });
    outputOf('skopeo', ['copy', `docker-archive:${archive}`, `oci:${work}/oci:latest`]);
    t.ok(existsSync(`${work}/oci/index.json`));
  });
});
