/**
 * `docker pull` and `docker push` of 200 MB in 8 layers over loopback, with the stock CLI and Debian's
 * docker-registry, next to `curl | gzip -d | tar x` and `gzip | curl` of the same layers.
 * Usage: node dist/test/bench/registry.js [rounds], as root, by the Node of guests (24).
 * Bars: 120 MB/s of layer data, or 0.7 of what the pipes do.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineHarness } from '../engine/engine-harness.ts';
import { DockerRegistry } from '../helpers/docker-registry.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { makeImage, putImage } from '../helpers/registry-image.ts';
import { runCommand } from '../helpers/run-command.ts';
import { makeTar } from '../helpers/tar.ts';
import { interleave, row, timed } from './measure.ts';

const cannot = enterOwnNetwork();
if (cannot !== null) throw new Error(`the bench ${cannot}`);
const rounds = Number(process.argv[2] ?? 5);
const layerCount = 8;
const layerBytes = 25 * 1024 * 1024;
const megabytes = (layerCount * layerBytes) / 1e6;

await using stack = new AsyncDisposableStack();
const scope = { teardown: (close: () => unknown) => stack.defer(async () => void (await close())) };
const engine = await EngineHarness.open(scope);
const registry = await DockerRegistry.open(scope);
const layers = Array.from({ length: layerCount }, (_, n) => ({ files: files(n) }));
const image = makeImage({ layers });
await putImage(registry.url, 'bench/image', image, '1');
const name = `${registry.host}/bench/image:1`;

const pulls = await interleave(rounds, {
  pull: async () => {
    await engine.docker(['rmi', '-f', name]);
    return timed(() => engine.output(['pull', '-q', name]));
  },
  'curl | gzip -d | tar x, and sync': () => timed(unpack),
});
for (const [who, spread] of Object.entries(pulls)) report(who, spread);

// Pulled layers go as they came; what was made here is compressed first.
await engine.output(['pull', '-q', name]);
const archive = join(engine.directory, 'made.tar');
for (const [n, { files: members }] of layers.entries())
  writeFileSync(join(engine.directory, `layer-${n}.tar`), makeTar(members));
await engine.output(['save', '-o', archive, name]);
let repositories = 0;
const pushes = await interleave(rounds, {
  'push of a pulled image': () => push(name),
  'push of a loaded image': async () => {
    await engine.docker(['rmi', '-f', name]);
    await engine.output(['load', '-q', '-i', archive]);
    const ms = await push(name);
    await engine.docker(['rmi', '-f', name]);
    await engine.output(['pull', '-q', name]);
    return ms;
  },
  'gzip | curl': () => timed(upload),
});
for (const [who, spread] of Object.entries(pushes)) report(who, spread);

function report(who: string, spread: { median: number; min: number; max: number }): void {
  console.log(`${row(who, spread)}  ${((megabytes / spread.median) * 1000).toFixed(0)} MB/s`);
}

/** Half of it compresses, as in real images. */
function files(layer: number): { path: string; content: string }[] {
  const half = layerBytes / 2;
  const words = Buffer.from(
    randomBytes(half / 8)
      .toString('hex')
      .repeat(4),
  ).toString('latin1');
  const size = 128 * 1024;
  const content = [randomBytes(half).toString('latin1'), words].join('');
  return Array.from({ length: layerBytes / size }, (_, i) => ({
    path: `layer-${layer}-${i}`,
    content: content.slice(i * size, (i + 1) * size),
  }));
}

/** Into a repository that has nothing yet, of a registry that has nothing of it. */
async function push(from: string): Promise<number> {
  await using own = new AsyncDisposableStack();
  const empty = await DockerRegistry.open({
    teardown: (close: () => unknown) => own.defer(async () => void (await close())),
  });
  const to = `${empty.host}/pushed/image:${repositories++}`;
  await engine.output(['tag', from, to]);
  const ms = await timed(() => engine.output(['push', '-q', to]));
  await engine.output(['rmi', to]);
  return ms;
}

async function unpack(): Promise<void> {
  const into = join(engine.directory, `plain-${Math.random()}`);
  for (const [n, digest] of image.layers.entries()) {
    mkdirSync(join(into, String(n)), { recursive: true });
    const url = `${registry.url}/v2/bench/image/blobs/${digest}`;
    await shell(`curl -sSf '${url}' | gzip -d | tar -xpf - -C '${join(into, String(n))}'`);
  }
  await runCommand('sync', ['-f', into]);
  rmSync(into, { recursive: true });
}

async function upload(): Promise<void> {
  for (let n = 0; n < layerCount; n++) {
    const headers = await shell(
      `curl -sSf -D - -o /dev/null -X POST '${registry.url}/v2/curl/image/blobs/uploads/'`,
    );
    const location = /^location: (.*?)\r?$/im.exec(headers)![1];
    await shell(
      `gzip -c '${join(engine.directory, `layer-${n}.tar`)}' | curl -sSf -o /dev/null -X PATCH -T - '${location}'`,
    );
  }
}

async function shell(script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await runCommand('bash', ['-c', `set -o pipefail; ${script}`]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}
