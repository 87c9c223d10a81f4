import { createReadStream } from 'node:fs';
import { Untrusted } from '../../drivers/errors.ts';
import { decompress } from '../archive/decompress.ts';
import { fetchAll } from '../download/fetch-all.ts';
import { fetchText } from '../download/fetch-text.ts';
import type { Fetch } from '../download/request.ts';
import type { Architecture } from '../os-image.ts';
import { type Release, type TrustedKeys, verifyInRelease } from './in-release.ts';
import type { Mirrors } from './mirrors.ts';
import { addPackagesFile, PackagesIndex } from './packages-index.ts';

export interface FetchIndexOptions {
  readonly mirrors: Mirrors;
  readonly codename: string;
  readonly arch: Architecture;
  /** Where a download of this hash is kept. */
  readonly pathOf: (sha256: string) => string;
  readonly keys?: TrustedKeys | undefined;
  readonly now?: Date | undefined;
  readonly fetch?: Fetch | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (item: string, doneBytes: number, totalBytes: number | null) => void;
}

export interface FetchedIndex {
  readonly index: PackagesIndex;
  /** Of the main archive, such as `13.8`. */
  readonly version: string;
}

/** The verified package index of one architecture: the release itself and its security updates. */
export async function fetchIndex(options: FetchIndexOptions): Promise<FetchedIndex> {
  const { mirrors, codename } = options;
  const index = new PackagesIndex();
  const { version } = await addSuite(index, mirrors.debian, codename, options);
  if (mirrors.security !== null) await addSuite(index, mirrors.security, `${codename}-security`, options);
  return { index, version };
}

async function addSuite(
  index: PackagesIndex,
  archive: string,
  suite: string,
  { arch, pathOf, keys, now, fetch, signal, onProgress }: FetchIndexOptions,
): Promise<Release> {
  const base = `${archive}/dists/${suite}`;
  const url = `${base}/InRelease`;
  onProgress?.(suite, 0, null);
  const text = await fetchText(url, { fetch, signal });
  const release = await verifyInRelease({ text, url, codename: suite, keys, now });
  const [name, file] = packagesFile(release, arch, url);
  const path = pathOf(file.sha256);
  // By hash, so that a mirror that is being updated cannot give an index of another moment.
  const location = release.acquireByHash ? name.replace(/[^/]+$/, `by-hash/SHA256/${file.sha256}`) : name;
  await fetchAll([{ name: suite, url: `${base}/${location}`, path, ...file }], {
    fetch,
    signal,
    onProgress,
  });
  await addPackagesFile(index, await decompress(name, createReadStream(path)), archive);
  return release;
}

function packagesFile(release: Release, arch: Architecture, url: string) {
  for (const ending of ['xz', 'gz']) {
    const name = `main/binary-${arch}/Packages.${ending}`;
    const file = release.files.get(name);
    if (file !== undefined) return [name, file] as const;
  }
  throw new Untrusted(`${url} lists no package index for ${arch}`);
}
