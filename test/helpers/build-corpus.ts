import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Test } from 'tap';
import { tarMembers } from '../../guest/layers/tar-members.ts';
import type { DockerClient } from './docker-client.ts';

/** A way into the engine's builder, and what it calls the image in the end. */
export interface BuildDoor {
  readonly name: 'classic' | 'buildkit';
  /** Builds a directory; `output` is all that the client was told. */
  build(
    directory: string,
    options: { readonly tag: string; readonly flags: readonly string[] },
  ): Promise<{ readonly exitCode: number; readonly output: string }>;
}

interface ExpectedFile {
  readonly text?: string;
  readonly type?: string;
  readonly mode?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly link?: string;
  readonly mtime?: number;
}

interface Expected {
  readonly flags?: readonly string[];
  /** Members of the image's Config; `Env+` must be among others. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Members of the image. */
  readonly image?: Readonly<Record<string, unknown>>;
  /** By path without a slash before it; null = not there. */
  readonly files?: Readonly<Record<string, ExpectedFile | null>>;
  readonly layers?: number;
  /** Part of what the client is told; maybe by door: one that is not named builds it. */
  readonly error?: string | Readonly<Partial<Record<BuildDoor['name'], string>>>;
}

const corpus = join('test', 'fixtures', 'builds');
const rejected = join('test', 'fixtures', 'dockerfile', 'rejected');

/** Builds every Dockerfile of the corpus through a door, and looks at what came of it. */
export async function testBuildCorpus(t: Test, client: DockerClient, door: BuildDoor): Promise<void> {
  for (const name of readdirSync(corpus)) {
    await t.test(name, async (t) => {
      const expected: Expected = JSON.parse(readFileSync(join(corpus, name, 'expected.json'), 'utf8'));
      const tag = `corpus-${name}`;
      const { flags = [] } = expected;
      const error = typeof expected.error === 'object' ? expected.error[door.name] : expected.error;
      const built = await door.build(join(corpus, name, 'context'), { tag, flags });
      if (error !== undefined) {
        t.not(built.exitCode, 0, 'fails');
        t.match(built.output, error);
        return;
      }
      t.equal(built.exitCode, 0, built.output);
      if (built.exitCode === 0) await checkImage(t, client, tag, expected);
    });
  }
  for (const name of readdirSync(rejected)) {
    await t.test(`rejected: ${name}`, async (t) => {
      const built = await door.build(join(rejected, name), { tag: 'rejected', flags: [] });
      t.not(built.exitCode, 0, 'fails');
      const message = readFileSync(join(rejected, name, 'expected.txt'), 'utf8').trimEnd();
      t.match(built.output, message);
    });
  }
}

async function checkImage(t: Test, client: DockerClient, tag: string, expected: Expected): Promise<void> {
  const [image] = JSON.parse(await client.output(['image', 'inspect', tag]));
  for (const [name, value] of Object.entries(expected.image ?? {})) t.same(image[name], value, name);
  for (const [name, value] of Object.entries(expected.config ?? {})) {
    if (name.endsWith('+')) {
      const list: readonly unknown[] = image.Config[name.slice(0, -1)];
      for (const item of value as readonly unknown[]) t.ok(list.includes(item), `${name} ${item}`);
    } else t.same(image.Config[name] ?? null, value, name);
  }
  if (expected.layers !== undefined) t.equal(image.RootFS.Layers.length, expected.layers, 'layers');
  if (expected.files) await checkFiles(t, client, tag, expected.files);
}

async function checkFiles(
  t: Test,
  client: DockerClient,
  tag: string,
  files: NonNullable<Expected['files']>,
): Promise<void> {
  const id = (await client.output(['create', tag, 'x'])).trim();
  const { stdout } = await execa('docker', ['export', id], { env: client.env, encoding: 'buffer' });
  await client.output(['rm', id]);
  const found = new Map<string, ExpectedFile>();
  for await (const { entry, body } of tarMembers(chunks(Buffer.from(stdout)))) {
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(Buffer.from(piece));
    found.set(entry.path.replace(/\/$/, ''), {
      text: Buffer.concat(pieces).toString(),
      type: entry.type,
      mode: entry.mode.toString(8),
      uid: entry.uid,
      gid: entry.gid,
      link: entry.linkPath,
      mtime: Number(entry.mtimeNs / 1_000_000_000n),
    });
  }
  for (const [path, wanted] of Object.entries(files)) {
    const file = found.get(path);
    if (wanted === null) t.notOk(file, `${path} is not there`);
    else t.match(file, wanted, path);
  }
}

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
