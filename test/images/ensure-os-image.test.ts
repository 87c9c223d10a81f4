import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  ensureOsImage,
  inspectOsImage,
  listOsImages,
  type OsImage,
  removeOsImage,
} from '../../images/index.ts';
import type { BuildProgress } from '../../images/os-image.ts';
import { type FakeArchive, fakeArchive } from './support/fake-archive.ts';
import { lacks, outputOf } from './support/programs.ts';

interface Setting {
  readonly archive: FakeArchive;
  readonly cacheDirectory: string;
  readonly agentDirectory: string;
  ensure(options?: Partial<Parameters<typeof ensureOsImage>[0]>): Promise<OsImage>;
}

async function setting(t: Test): Promise<Setting> {
  const archive = await fakeArchive(t);
  const root = t.testdir({
    agent: { 'agent.cjs': 'agent();' },
    boot: { initramfs: { init: '#!/busybox sh\n' }, root: { etc: { inittab: '::respawn:/agent\n' } } },
  });
  const options = {
    arch: 'amd64',
    cacheDirectory: join(root, 'cache'),
    agentDirectory: join(root, 'agent'),
    bootDirectory: join(root, 'boot'),
  } as const;
  return { archive, ...options, ensure: (more) => ensureOsImage({ ...options, ...more }, archive.outside) };
}

/** Nothing of a build that failed but downloads, which are verified or parts. */
function leftIn(cacheDirectory: string): string[] {
  const inside = readdirSync(cacheDirectory).filter((name) => name !== 'downloads');
  return inside.flatMap((name) => (name === 'os-images' ? readdirSync(join(cacheDirectory, name)) : [name]));
}

function bytesOf(image: OsImage): string[] {
  return [image.kernel, image.initramfs, image.root, image.agent].map((path) =>
    readFileSync(path).toString('base64'),
  );
}

t.test('an image is built from a signed archive and found again without the network', async (t) => {
  const { archive, ensure, cacheDirectory } = await setting(t);
  const progress: BuildProgress[] = [];
  const image = await ensure({ onProgress: (step) => progress.push(step) });
  t.equal(readFileSync(image.kernel, 'utf8'), 'kernel');
  t.match(readFileSync(image.initramfs, 'latin1'), /#!\/busybox sh\n/);
  if (lacks('fsck.erofs') === false)
    for (const path of [image.root, image.agent]) outputOf('fsck.erofs', [path]);
  t.match(image.manifest, {
    arch: 'amd64',
    kernelRelease: '6.12.1+test-cloud-amd64',
    distribution: { version: '13.1' },
  });
  t.match(
    image.manifest.packages.find(({ name }) => name === 'crun'),
    { version: '1.0', licences: [], licencesAbsent: /not machine-readable/ },
  );
  t.ok(readFileSync(image.root).includes(`"digest": "${image.digest}"`), 'the manifest is inside');
  t.strictSame([...new Set(progress.map(({ phase }) => phase))], ['index', 'download', 'unpack', 'assemble']);
  t.ok(progress.every(({ doneBytes, totalBytes }) => totalBytes === null || doneBytes <= totalBytes));

  await archive.close();
  t.strictSame(await ensure(), image);
  t.strictSame(leftIn(cacheDirectory), [image.digest.slice(7)]);
});

t.test('the same inputs give the same bytes', async (t) => {
  const one = await setting(t);
  const first = await one.ensure();
  const second = await one.ensure({ cacheDirectory: `${one.cacheDirectory}-2` });
  t.equal(first.digest, second.digest);
  t.strictSame(bytesOf(first), bytesOf(second));
});

t.test('extras make another image, and leave the usual one as it is', async (t) => {
  const { archive, ensure, cacheDirectory } = await setting(t);
  const usual = await ensure();
  t.notMatch(archive.requests.join(), 'qemu-user');
  const extras = ['qemu-user', 'qemu-user'] as const;
  const image = await ensure({ extras });
  t.strictSame(image.manifest.extras, ['qemu-user']);
  const root = readFileSync(image.root);
  t.ok(root.includes('qemu-aarch64.conf'));
  t.notOk(root.includes('qemu-x86_64'), 'the computer runs its own programs');
  t.notOk(readFileSync(usual.root).includes('qemu-aarch64'));

  await archive.close();
  t.strictSame(await ensure({ extras }), image);
  t.strictSame(await ensure(), usual);
  const listed = await listOsImages({ cacheDirectory });
  t.strictSame(
    listed.map(({ digest, extras }) => [digest, extras]).sort(),
    [
      [image.digest, ['qemu-user']],
      [usual.digest, []],
    ].sort(),
  );
});

t.test('a tampered package is refused with a sentence, and no image appears', async (t) => {
  const { archive, ensure, cacheDirectory } = await setting(t);
  const path = '/debian/pool/crun_1.0_amd64.deb';
  const deb = Buffer.from(archive.files.get(path)!);
  deb[deb.length - 5]! ^= 1;
  archive.files.set(path, deb);
  await t.rejects(ensure(), {
    name: 'Untrusted',
    message: /crun_1\.0_amd64\.deb is not the file that was signed for/,
  });
  t.strictSame(leftIn(cacheDirectory), []);
});

t.test('a tampered package index is refused', async (t) => {
  const { archive, ensure, cacheDirectory } = await setting(t);
  const path = [...archive.files.keys()].find((name) => name.includes('/dists/trixie/main/'))!;
  archive.files.set(path, Buffer.concat([archive.files.get(path)!, Buffer.from('x')]));
  await t.rejects(ensure(), { name: 'Untrusted' });
  t.strictSame(leftIn(cacheDirectory), []);
});

t.test('a tampered InRelease is refused', async (t) => {
  const { archive, ensure } = await setting(t);
  const path = '/debian/dists/trixie/InRelease';
  archive.files.set(
    path,
    Buffer.from(archive.files.get(path)!.toString().replace('Version: 13.1', 'Version: 13.2')),
  );
  await t.rejects(ensure(), { name: 'Untrusted', message: /InRelease is not signed by a known Debian key/ });
});

t.test('an archive that is signed by nobody we know is refused', async (t) => {
  const { archive, agentDirectory, cacheDirectory } = await setting(t);
  const { keys: _, ...outside } = archive.outside;
  const options = {
    arch: 'amd64',
    cacheDirectory,
    agentDirectory,
    bootDirectory: join(agentDirectory, '../boot'),
  } as const;
  await t.rejects(ensureOsImage(options, outside), { name: 'Untrusted' });
});

t.test('without the network and without an image the error names what cannot be reached', async (t) => {
  const { archive, ensure } = await setting(t);
  archive.intercept = (_, response) => {
    response.writeHead(404).end();
    return true;
  };
  await t.rejects(ensure(), {
    name: 'Unavailable',
    message: /InRelease cannot be fetched: the server answered 404/,
  });
});

t.test('newer packages are taken only when they are asked for', async (t) => {
  const { archive, ensure, cacheDirectory } = await setting(t);
  const old = await ensure();
  t.equal((await ensure({ refresh: true })).digest, old.digest, 'nothing has changed');
  await archive.publish('1.1');
  t.equal((await ensure()).digest, old.digest);
  const renewed = await ensure({ refresh: true });
  t.not(renewed.digest, old.digest);
  t.equal((await ensure()).digest, renewed.digest, 'the newest is taken from then on');
  t.strictSame(
    (await listOsImages({ cacheDirectory })).map(({ digest }) => digest),
    [renewed.digest, old.digest],
  );
  t.equal(
    archive.requests.filter((path) => path.includes('pool/libone')).length,
    1,
    'what is the same is not fetched again',
  );
});

t.test('two builds at once make one image', async (t) => {
  const { archive, ensure } = await setting(t);
  const [one, two] = await Promise.all([ensure(), ensure()]);
  t.strictSame(one, two);
  t.equal(archive.requests.filter((path) => path === '/debian/dists/trixie/InRelease').length, 1);
});

t.test('a change of the agent makes a new agent image and nothing else', async (t) => {
  const { archive, ensure, agentDirectory } = await setting(t);
  const before = await ensure();
  writeFileSync(join(agentDirectory, 'agent.cjs'), 'changed();');
  const after = await ensure();
  t.match(after, { digest: before.digest, root: before.root });
  t.not(after.agent, before.agent);
  t.equal(
    archive.requests.filter((path) => path.endsWith('InRelease')).length,
    2,
    'two archives, asked once',
  );
});

t.test('a change of the boot files makes a new image', async (t) => {
  const { ensure, agentDirectory } = await setting(t);
  const before = await ensure();
  writeFileSync(join(agentDirectory, '../boot/root/etc/inittab'), '::respawn:/other\n');
  t.not((await ensure()).digest, before.digest);
});

t.test(
  'an abort in the middle leaves no image, no work and no lock, and the next build ends well',
  async (t) => {
    const { archive, ensure, cacheDirectory } = await setting(t);
    const abort = new AbortController();
    archive.intercept = (request) => {
      if (!request.url!.includes('/pool/crun')) return false;
      abort.abort();
      return true;
    };
    await t.rejects(ensure({ signal: abort.signal }), { name: 'AbortError' });
    t.strictSame(leftIn(cacheDirectory), []);
    archive.intercept = null;
    await ensure();
  },
);

t.test('images are inspected and removed by a part of their digest', async (t) => {
  const { ensure, cacheDirectory } = await setting(t);
  t.strictSame(await listOsImages({ cacheDirectory }), []);
  const image = await ensure();
  const digest = image.digest.slice(0, 15);
  t.strictSame((await inspectOsImage({ cacheDirectory, digest })).manifest, image.manifest);
  await t.rejects(inspectOsImage({ cacheDirectory, digest: '0000' }), { name: 'NotFound' });
  await t.rejects(inspectOsImage({ cacheDirectory, digest: '../x' }), { name: 'InvalidArgument' });
  await removeOsImage({ cacheDirectory, digest });
  t.notOk(existsSync(image.root));
  t.notOk(existsSync(join(cacheDirectory, 'downloads')), 'the last image takes the downloads with it');
  t.strictSame(await listOsImages({ cacheDirectory }), []);
});

t.test('a damaged image is listed as broken, is not used and can be removed', async (t) => {
  const { ensure, cacheDirectory } = await setting(t);
  const image = await ensure();
  writeFileSync(join(image.root, '../manifest.json'), '{');
  const [listed] = await listOsImages({ cacheDirectory });
  t.match(listed, { digest: image.digest, broken: /manifest\.json cannot be used/ });
  t.equal((await ensure()).digest, image.digest, 'it is built again');
  t.match((await listOsImages({ cacheDirectory }))[0], { broken: null });
});
