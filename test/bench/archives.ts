/**
 * `docker load` and `docker save` of 200 MB, and lists of many, with the stock CLI: the engine natively, next
 * to Debian's dockerd where that can be had, and to `tar` and `sha256sum` over the same bytes.
 * Usage: node dist/test/bench/archives.js [rounds], as root, by the Node of guests (24).
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, hexOf } from '../../guest/digest.ts';
import { Dockerd } from '../compat/dockerd.ts';
import { call } from '../compat/http.ts';
import type { Subject } from '../compat/subject.ts';
import { EngineHarness } from '../engine/engine-harness.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { runCommand } from '../helpers/run-command.ts';
import { makeTar } from '../helpers/tar.ts';
import { interleave, row, settleDisk, timed } from './measure.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) throw new Error(`the bench ${cannot}`);
const rounds = Number(process.argv[2] ?? 5);
const megabyte = 1024 * 1024;
const many = 500;

await using stack = new AsyncDisposableStack();
const scope = { teardown: (close: () => unknown) => stack.defer(async () => void (await close())) };
const machine = await EngineHarness.open(scope);
const dockerd = await Dockerd.open(scope).catch((error: Error) => {
  console.log(`no dockerd to compare with: ${error.message}`);
  return null;
});
const subjects: Readonly<Record<string, Subject>> = { machine, ...(dockerd && { dockerd }) };
const { archive, layer } = writeArchive(machine.directory);

await compare('load 200 MB', async (subject) => {
  await subject.docker(['rmi', '-f', 'bench:1']);
  settleDisk();
  return timed(() => subject.output(['load', '-q', '-i', archive]));
});
await compare('save 200 MB', (subject) => {
  settleDisk();
  return timed(() => subject.output(['save', '-o', join(machine.directory, 'saved.tar'), 'bench:1']));
});
const plain = await interleave(rounds, { 'tar -x, sync and sha256sum of the same': () => timed(unpack) });
for (const [name, spread] of Object.entries(plain)) console.log(row(name, spread));

for (const subject of Object.values(subjects)) await makeMany(subject);
await compare(`ps -a with ${many} stopped containers`, (subject) =>
  timed(() => subject.output(['ps', '-a'])),
);
await compare(`images with ${many} images`, (subject) => timed(() => subject.output(['images'])));

async function compare(name: string, work: (subject: Subject) => Promise<number>): Promise<void> {
  const contenders = Object.entries(subjects).map(([who, subject]) => [who, () => work(subject)] as const);
  const results = await interleave(rounds, Object.fromEntries(contenders));
  for (const [who, spread] of Object.entries(results)) console.log(row(`${name}: ${who}`, spread));
  if (results.machine && results.dockerd)
    console.log(`  ratio ${(results.machine.median / results.dockerd.median).toFixed(2)}`);
}

function writeArchive(directory: string): { archive: string; layer: string } {
  const files = Array.from({ length: 4 }, (_, i) => ({
    path: `d/f${i}`,
    content: randomBytes(50 * megabyte).toString('latin1'),
  }));
  const tar = makeTar([{ path: 'd', type: 'directory' }, ...files]);
  const rootfs = { type: 'layers', diff_ids: [digestOf(tar)] };
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs });
  const name = `${hexOf(digestOf(config))}.json`;
  const manifest = JSON.stringify([{ Config: name, RepoTags: ['bench:1'], Layers: ['layer.tar'] }]);
  const paths = { archive: join(directory, 'archive.tar'), layer: join(directory, 'layer.tar') };
  writeFileSync(paths.layer, tar);
  writeFileSync(
    paths.archive,
    makeTar([
      { path: 'layer.tar', content: tar.toString('latin1') },
      { path: name, content: config },
      { path: 'manifest.json', content: manifest },
    ]),
  );
  return paths;
}

async function unpack(): Promise<void> {
  const into = join(machine.directory, `plain-${Math.random()}`);
  mkdirSync(into);
  await runCommand('tar', ['-xpf', layer, '-C', into]);
  await runCommand('sync', ['-f', into]);
  await runCommand('sha256sum', [layer]);
}

async function makeMany(subject: Subject): Promise<void> {
  await subject.loadBusybox();
  const post = (line: string, options: Parameters<typeof call>[2] = {}) =>
    call(subject.socket, `POST ${line}`, options);
  const headers = { 'Content-Type': 'application/x-tar' };
  for (let made = 0; made < many; made += 10) {
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        await post('/containers/create', { body: { Image: 'busybox', Cmd: ['true'] } });
        const raw = makeTar([{ path: 'f', content: `${made + i}` }]);
        await post(`/images/create?fromSrc=-&repo=many&tag=${made + i}`, { raw, headers });
      }),
    );
  }
}
