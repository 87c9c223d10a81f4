import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, link, mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readDebFiles } from '../../images/debian/deb.ts';
import { fetchIndex } from '../../images/debian/fetch-index.ts';
import { findMirrors, readAptSources } from '../../images/debian/mirrors.ts';
import { fetchAll } from '../../images/download/fetch-all.ts';
import { acquireLock } from '../../images/lock.ts';
import type { Architecture } from '../../images/os-image.ts';
import { cachePaths } from '../../images/paths.ts';

/**
 * Programs of Debian 13 that judge the engine: clients that others wrote, and dockerd itself. They are never
 * installed: fetched as the OS image's packages are (signed index, verified files) and unpacked in the cache.
 */
const packages = {
  /** docker CLI 26.1, buildx 0.13 and compose 2.26; each needs only a C library. */
  clients: ['docker-cli', 'docker-buildx', 'docker-compose'],
  /** docker-py 7 with what it imports; all of it is Python. */
  python: [
    'python3-docker',
    'python3-requests',
    'python3-urllib3',
    'python3-certifi',
    'python3-idna',
    'python3-chardet',
  ],
  /** One static program, for any architecture. */
  busybox: ['busybox-static'],
  /** With all libraries, the C library too. */
  rsync: [
    'rsync',
    'libacl1',
    'libc6',
    'liblz4-1',
    'libpopt0',
    'libssl3t64',
    'libxxhash0',
    'libzstd1',
    'zlib1g',
  ],
  /** git 2.47, SQLite's shell and flock, with all libraries. */
  git: [
    'git',
    'sqlite3',
    'util-linux',
    'libc6',
    'libpcre2-8-0',
    'libreadline8t64',
    'libsqlite3-0',
    'libtinfo6',
    'zlib1g',
  ],
  /** 1.13, with all libraries. */
  virtiofsd: ['virtiofsd', 'libc6', 'libcap-ng0', 'libgcc-s1', 'libseccomp2'],
  /** dockerd 26.1 and all it runs, with the C library that they are linked against. */
  oracle: [
    ...[
      'docker.io',
      'containerd',
      'runc',
      'tini',
      'iptables',
      'libc6',
      'libseccomp2',
      'libsystemd0',
      'libcap2',
    ],
    ...[
      'libip4tc2',
      'libip6tc2',
      'libxtables12',
      'libmnl0',
      'libnetfilter-conntrack3',
      'libnfnetlink0',
      'libnftnl11',
    ],
  ],
} as const;

const ownArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** A directory with the files of these packages, as below `/`. Fetched once; throws when that cannot be. */
export async function debianTools(
  set: keyof typeof packages,
  arch: Architecture = ownArchitecture,
): Promise<string> {
  const cache = process.env.MACHINE_CACHE_PATH ?? join(tmpdir(), 'machine-test-cache');
  const names = packages[set];
  const version = createHash('sha256').update(names.join()).digest('hex').slice(0, 12);
  const foreign = arch === ownArchitecture ? '' : `${arch}-`;
  const directory = join(cache, 'compat', `${set}-${foreign}${version}`);
  if (await exists(directory)) return directory;
  const { download, lock } = cachePaths(cache);
  // Two tests may want the same, and an OS image some of the packages.
  await using _lock = await acquireLock(lock);
  if (await exists(directory)) return directory;
  const { index } = await fetchIndex({
    mirrors: findMirrors({ env: process.env, aptSources: await readAptSources() }),
    codename: 'trixie',
    arch,
    pathOf: download,
  });
  const found = names.map((name) => {
    const known = index.get(name);
    if (known === undefined) throw new Error(`the archive has no package "${name}"`);
    return { ...known, url: `${known.archive}/${known.filename}`, path: download(known.sha256) };
  });
  await fetchAll(found);
  await mkdir(dirname(directory), { recursive: true });
  const work = await mkdtemp(`${directory}-`);
  try {
    for (const { path } of found) await unpack(path, work);
    await rename(work, directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return directory;
}

/** Files, links and modes; owners are root's in all of these. */
async function unpack(deb: string, root: string): Promise<void> {
  for await (const { name, type, mode, linkName, body } of readDebFiles(deb)) {
    const path = join(root, merged(name));
    await mkdir(dirname(path), { recursive: true });
    if (type === 'file') await pipeline(body, createWriteStream(path, { mode }));
    else if (type === 'symlink') await symlink(linkName, path);
    else if (type === 'link') await link(join(root, merged(linkName)), path);
    else if (type !== 'directory') throw new Error(`a package with a ${type}, "${name}"`);
  }
}

/** Debian's `/bin`, `/sbin` and `/lib*` are links into `/usr`. */
function merged(name: string): string {
  return join('/', name).replace(/^\/(s?bin|lib(?:64)?)(?=\/)/, '/usr/$1');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
