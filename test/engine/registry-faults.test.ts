import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { mediaTypes } from '../../guest/registry/documents.ts';
import { FakeRegistry, refuse } from '../helpers/fake-registry.ts';
import { makeImage, type RegistryImage } from '../helpers/registry-image.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

const megabyte = 1024 * 1024;
const noisy = (...sizes: number[]) =>
  makeImage({
    layers: sizes.map((size) => ({
      files: [{ path: 'noise', content: randomBytes(size).toString('latin1') }],
    })),
  });

async function open(t: Test): Promise<{ engine: EngineHarness; registry: FakeRegistry; nothing(): void }> {
  const engine = await EngineHarness.open(t);
  const registry = await FakeRegistry.open(t);
  const entries = (...path: string[]) => readdirSync(join(engine.dataRoot, ...path));
  return {
    engine,
    registry,
    nothing() {
      t.same(entries('layers'), ['0'], 'no layer stays');
      t.same(entries('content', 'ingest'), [], 'nothing half-made stays');
      t.same(entries('content', 'sha256'), [], 'no blob stays');
    },
  };
}

/** The first bytes of a blob, and no more. */
function half(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { 'Content-Length': bytes.length });
  response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
}

t.test(
  'a layer that breaks off goes on where it was, and a busy registry is asked again',
  { skip },
  async (t) => {
    const { engine, registry } = await open(t);
    const image = noisy(3 * megabyte, 1000);
    registry.put('app', image);
    const [layer] = image.layers;
    const ranges: (string | undefined)[] = [];
    let busy = 2;
    registry.intercept = ({ url, headers }, response) => {
      if (url!.endsWith('/manifests/1') && busy-- > 0) {
        refuse(response, 429, 'TOOMANYREQUESTS', 'slow down');
        return true;
      }
      if (!url!.endsWith(`/blobs/${layer}`)) return false;
      ranges.push(headers.range);
      if (headers.range) return false;
      half(response, registry.blobs.get(layer!)!);
      return true;
    };
    const said = await engine.output(['pull', `${registry.host}/app:1`]);
    t.match(said, `${layer!.slice(7, 19)}: Retrying in 1 seconds`);
    t.match(ranges, [undefined, /^bytes=[1-9]\d+-$/]);
    t.match(said, `Digest: ${image.digest}`);
  },
);

t.test('a registry that lies is found out, and nothing of it stays', { skip }, async (t) => {
  const { engine, registry, nothing } = await open(t);
  const image = noisy(100_000);
  registry.put('app', image);
  const layer = image.layers[0]!;
  const bytes = registry.blobs.get(layer)!;
  const lies: [string, RegExp, (url: string, response: ServerResponse) => boolean][] = [
    [
      'other bytes',
      /damaged|has the bytes of|malformed/,
      (url, response) => {
        if (!url.endsWith(layer)) return false;
        const other = Buffer.from(bytes);
        other[other.length - 20]! ^= 1;
        response.end(other);
        return true;
      },
    ],
    [
      'more bytes',
      /is larger than \d+ bytes/,
      (url, response) => {
        if (!url.endsWith(layer)) return false;
        response.end(Buffer.concat([bytes, bytes]));
        return true;
      },
    ],
    [
      'another manifest',
      /manifest verification failed for digest/,
      (url, response) => {
        if (!url.includes('/manifests/')) return false;
        response.writeHead(200, { 'Content-Type': image.mediaType, 'Docker-Content-Digest': layer });
        response.end(image.manifest);
        return true;
      },
    ],
    [
      'a manifest without end',
      /the manifest is larger than \d+ bytes/,
      (url, response) => {
        if (!url.includes('/manifests/')) return false;
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(megabyte, 32)));
        };
        response.on('drain', more);
        more();
        return true;
      },
    ],
    [
      'round and round',
      /stopped after 10 redirects/,
      (url, response) => {
        if (!url.includes('/manifests/')) return false;
        response.writeHead(307, { Location: url }).end();
        return true;
      },
    ],
  ];
  for (const [name, message, lie] of lies) {
    registry.intercept = ({ url }, response) => lie(url!, response);
    t.match(await engine.docker(['pull', `${registry.host}/app:1`]), { exitCode: 1, stderr: message }, name);
  }
  // The layer is what the manifest says, and not what the configuration says.
  const other = noisy(10);
  const manifest = JSON.parse(image.manifest.toString());
  manifest.layers = JSON.parse(other.manifest.toString()).layers;
  registry.intercept = () => false;
  registry.put('app', other, '2');
  const bytes3 = Buffer.from(JSON.stringify(manifest));
  registry.putManifest('app', { bytes: bytes3, mediaType: mediaTypes.dockerManifest }, '3');
  t.match(await engine.docker(['pull', `${registry.host}/app:3`]), {
    exitCode: 1,
    stderr: /layers from manifest don't match image configuration/,
  });
  nothing();
});

t.test('a pull that is given up leaves nothing', { skip }, async (t) => {
  const { engine, registry, nothing } = await open(t);
  const image = noisy(megabyte, megabyte);
  registry.put('app', image);
  const [, last] = image.layers;
  // The second layer never ends.
  let resolve = (_: ServerResponse) => {};
  const hanging = new Promise<ServerResponse>((hang) => {
    resolve = hang;
  });
  registry.intercept = ({ url }, response) => {
    if (!url!.endsWith(`/blobs/${last}`)) return false;
    response.writeHead(200, { 'Content-Length': registry.blobs.get(last!)!.length });
    response.write(Buffer.alloc(0), () => resolve(response));
    response.write(registry.blobs.get(last!)!.subarray(0, 1000));
    return true;
  };
  const path = `/images/create?fromImage=${registry.host}/app&tag=1`;
  const client = request({ socketPath: engine.socket, path, method: 'POST' });
  client.on('error', () => {});
  client.end();
  const response = await hanging;
  const cut = once(response, 'close');
  client.destroy();
  await cut;
  // The next pull waits for what the first one let go of.
  registry.intercept = () => false;
  await engine.output(['pull', '-q', `${registry.host}/app:1`]);
  await engine.output(['rmi', `${registry.host}/app:1`]);
  nothing();
});

t.test('two pulls of the same layer download it once', { skip }, async (t) => {
  const { engine, registry } = await open(t);
  const shared = { files: [{ path: 'shared', content: randomBytes(megabyte).toString('latin1') }] };
  const images = ['one', 'two'].map((path) =>
    makeImage({ layers: [shared, { files: [{ path, content: path }] }] }),
  ) as [RegistryImage, RegistryImage];
  for (const [n, image] of images.entries()) registry.put('app', image, String(n));
  const layer = images[0].layers[0]!;
  // The layer comes when both images have been asked for.
  const asked = new Set<string>();
  const waiting: (() => void)[] = [];
  registry.intercept = async ({ url }) => {
    const [own] = images.filter(({ layers }) => url!.endsWith(`/blobs/${layers[1]}`));
    if (own) asked.add(own.digest);
    if (asked.size === 2) for (const go of waiting.splice(0)) go();
    if (url!.endsWith(`/blobs/${layer}`) && asked.size < 2) await new Promise<void>((go) => waiting.push(go));
    return false;
  };
  const pulled = await Promise.all([0, 1].map((n) => engine.output(['pull', `${registry.host}/app:${n}`])));
  t.equal(registry.downloads(layer), 1);
  for (const said of pulled) t.match(said, `${layer.slice(7, 19)}: Pull complete`);
  t.equal(readdirSync(join(engine.dataRoot, 'layers')).length, 1 + 3);
});

t.test('tokens are asked for by scope, renewed, and never shown to other hosts', { skip }, async (t) => {
  const { engine, registry } = await open(t);
  const storage = await FakeRegistry.open(t);
  const image = noisy(1000);
  registry.put('team/app', image);
  for (const [digest, bytes] of image.blobs) storage.blobs.set(digest, bytes);
  const tokens: { url: URL; authorization: string | undefined; form: string }[] = [];
  const leaked: (string | undefined)[] = [];
  storage.intercept = ({ headers }) => {
    leaked.push(headers.authorization);
    return false;
  };
  let expired = 1;
  registry.intercept = async (request, response) => {
    const url = new URL(request.url!, registry.url);
    if (url.pathname === '/token') {
      let form = '';
      for await (const piece of request) form += piece;
      tokens.push({ url, authorization: request.headers.authorization, form });
      response.end(JSON.stringify({ token: `t${tokens.length}`, refresh_token: 'refreshing' }));
      return true;
    }
    const isKnown = /^Bearer t\d+$/.test(request.headers.authorization ?? '');
    if (!isKnown || (url.pathname.includes('/manifests/') && expired-- > 0)) {
      const scope = url.pathname === '/v2/' ? '' : ',scope="repository:team/app:pull"';
      response.setHeader('WWW-Authenticate', `Bearer realm="${registry.url}/token",service="reg"${scope}`);
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required');
      return true;
    }
    if (!url.pathname.includes('/blobs/')) return false;
    response.writeHead(307, { Location: `${storage.url}${url.pathname}` }).end();
    return true;
  };
  const name = `${registry.host}/team/app:1`;
  await engine.output(['pull', '-q', name]);
  t.equal(tokens[0]!.url.search, '?service=reg&scope=repository%3Ateam%2Fapp%3Apull');
  t.equal(tokens[0]!.authorization, undefined);
  t.equal(tokens.length, 2, 'the token that had run out was renewed, once');
  t.ok(leaked.length >= 2 && leaked.every((header) => header === undefined));

  tokens.length = 0;
  const login = ['login', '-u', 'anna', '--password-stdin', registry.host];
  await engine.output(login, { input: 'secret' });
  t.equal(tokens[0]!.authorization, `Basic ${Buffer.from('anna:secret').toString('base64')}`);
  t.equal(tokens[0]!.url.searchParams.get('offline_token'), 'true');
  tokens.length = 0;
  t.match(await engine.output(['pull', name]), /up to date/);
  t.match(
    tokens[0]!.form,
    /grant_type=refresh_token.*refresh_token=refreshing/,
    'the password is not used again',
  );
});

t.test(
  'a disk that fills up during a pull: an error, nothing half-made, and the next one works',
  { skip },
  async (t) => {
    const engine = await EngineHarness.open(t, [], (harness) => {
      mkdirSync(harness.dataRoot);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'machine-test', harness.dataRoot]);
      harness.afterwards = () => void execFileSync('umount', [harness.dataRoot]);
    });
    const registry = await FakeRegistry.open(t);
    // The first layer is there before the second takes the rest.
    registry.put('large', noisy(megabyte, 40 * megabyte));
    const small = noisy(megabyte);
    registry.put('small', small);
    for (let i = 0; i < 2; i++) {
      const { exitCode, stderr } = await engine.docker(['pull', `${registry.host}/large:1`]);
      t.equal(exitCode, 1);
      t.match(stderr, 'no space left on device; docker system prune may give some back');
      const entries = (...path: string[]) => readdirSync(join(engine.dataRoot, ...path));
      t.same(
        [entries('layers'), entries('content', 'ingest'), entries('content', 'sha256')],
        [['0'], [], []],
      );
    }
    t.match(await engine.output(['pull', `${registry.host}/small:1`]), `Digest: ${small.digest}`);
    t.equal(await engine.output(['images', '-q', '--no-trunc']), `${small.id}\n`);
  },
);

t.test('docker search asks registries that have it, and says which has none', { skip }, async (t) => {
  const { engine, registry } = await open(t);
  const hit = (name: string, stars: number) => ({ name, description: `${name}!`, star_count: stars });
  const asked: string[] = [];
  registry.intercept = ({ url }, response) => {
    if (!url!.startsWith('/v1/search')) return false;
    asked.push(url!);
    response.end(JSON.stringify({ results: [hit('tool', 7), { ...hit('other', 1), is_official: true }] }));
    return true;
  };
  const format = ['--format', '{{.Name}} {{.Description}} {{.StarCount}} {{.IsOfficial}}'];
  const search = (...flags: string[]) =>
    engine.output(['search', ...format, ...flags, `${registry.host}/to ol`]);
  t.equal(await search('--limit', '7'), 'tool tool! 7 \nother other! 1 [OK]\n');
  t.same(asked, ['/v1/search?q=to+ol&n=7']);
  t.equal(await search('--filter', 'stars=3'), 'tool tool! 7 \n');
  t.equal(await search('--filter', 'is-official=true'), 'other other! 1 [OK]\n');
  registry.intercept = () => false;
  t.match(await engine.docker(['search', `${registry.host}/tool`]), {
    exitCode: 1,
    stderr: `registry "${registry.host}" offers no search: unexpected status code 404`,
  });
});

t.test('an upload that breaks off goes on where it was', { skip }, async (t) => {
  const { engine, registry } = await open(t);
  await engine.loadBusybox();
  registry.uploadsToCut = 1;
  const name = `${registry.host}/up/busybox:1`;
  await engine.output(['tag', 'busybox', name]);
  const said = await engine.output(['push', name]);
  t.match(said, /Retrying in 1 seconds\n.*: Pushed\n1: digest: sha256:/s);
  const uploads = registry.requests.filter((line) => line.startsWith('GET ') && line.includes('/uploads/'));
  t.equal(uploads.length, 1, 'it asked how far the registry was');
  await engine.output(['rmi', '-f', name, 'busybox']);
  t.equal(await engine.output(['run', '--rm', name, 'echo', 'whole']), 'whole\n');
});
