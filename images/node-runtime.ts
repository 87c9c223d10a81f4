import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { Unavailable, Untrusted } from '../drivers/errors.ts';
import { decompress } from './archive/decompress.ts';
import { readTar, type TarEntry } from './archive/tar-reader.ts';
import type { NodeRuntime } from './recipe.ts';

export interface FetchNodeOptions {
  readonly runtime: NodeRuntime;
  /** Of a download with this hash (hexadecimal). */
  readonly pathOf: (hash: string) => string;
  /** For the work of npm; on the same file system. */
  readonly workDirectory: string;
  readonly signal?: AbortSignal | undefined;
  /** Makes the package's archive appear in `directory` and gives its file name. */
  readonly pack?: (spec: string, directory: string, signal?: AbortSignal) => Promise<string>;
}

/**
 * The archive of the guest's Node, fetched by the user's own npm so that its registry, proxy and credentials
 * apply, and checked against the pinned hash. Throws Untrusted, Unavailable.
 */
export async function fetchNodeArchive(options: FetchNodeOptions): Promise<string> {
  const { runtime, pathOf, workDirectory, signal, pack = npmPack } = options;
  const wanted = Buffer.from(runtime.integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
  // Half of the hash names the file, as long as the other downloads' names.
  const path = pathOf(wanted.slice(0, 64));
  if ((await sha512Of(path)) === wanted) return path;
  const directory = await mkdtemp(join(workDirectory, 'npm-'));
  try {
    const spec = `${runtime.package}@${runtime.version}`;
    const packed = join(directory, await pack(spec, directory, signal));
    const found = await sha512Of(packed);
    if (found !== wanted) {
      throw new Untrusted(
        `the registry's archive of ${spec} is not the one that is pinned (sha512 ${found?.slice(0, 16)}… instead of ${wanted.slice(0, 16)}…); nothing of it was used`,
      );
    }
    await rename(packed, path);
    return path;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Only `bin/node` of the archive, whose body must be read before the generator goes on. */
export async function* readNodeBinary(archive: string): AsyncGenerator<TarEntry> {
  for await (const entry of readTar(await decompress('archive.tar.gz', createReadStream(archive))))
    if (entry.name === 'package/bin/node') yield entry;
}

async function npmPack(spec: string, directory: string, signal?: AbortSignal): Promise<string> {
  try {
    const { stdout } = await execa('npm', ['pack', spec, '--json', '--ignore-scripts'], {
      cwd: directory,
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    });
    const [packed] = JSON.parse(stdout) as { filename: string }[];
    // Scoped names are written with a slash here and with a dash on disk; ours have none.
    return packed!.filename;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new Unavailable(
      `npm cannot fetch ${spec}, the guest's Node; "npm pack ${spec}" shows why (registry, proxy, network)`,
      { cause },
    );
  }
}

async function sha512Of(path: string): Promise<string | null> {
  const hash = createHash('sha512');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return hash.digest('hex');
}
