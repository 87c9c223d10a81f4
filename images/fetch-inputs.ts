import { FailedPrecondition } from '../drivers/errors.ts';
import { fetchIndex } from './debian/fetch-index.ts';
import type { TrustedKeys } from './debian/in-release.ts';
import { findMirrors, readAptSources } from './debian/mirrors.ts';
import type { DebianPackage } from './debian/packages-index.ts';
import { solve } from './debian/solve.ts';
import { fetchAll } from './download/fetch-all.ts';
import type { Fetch } from './download/request.ts';
import { type FetchNodeOptions, fetchNodeArchive } from './node-runtime.ts';
import type { EnsureOsImageOptions } from './os-image.ts';
import type { cachePaths } from './paths.ts';
import {
  codename,
  excludedPackages,
  extras as extraParts,
  kernelPackage,
  nodeRuntime,
  wantedPackages,
} from './recipe.ts';

/** What comes from outside; tests give their own. */
export interface OutsideWorld {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly keys?: TrustedKeys;
  readonly now?: Date;
  readonly fetch?: Fetch;
  readonly node?: Pick<FetchNodeOptions, 'runtime' | 'pack'>;
}

export interface BuildInputs {
  readonly distributionVersion: string;
  readonly packages: readonly DebianPackage[];
  /** The one of `packages` that holds the kernel. */
  readonly kernel: DebianPackage;
}

type Options = Pick<EnsureOsImageOptions, 'arch' | 'extras' | 'mirrors' | 'signal' | 'onProgress'> & {
  readonly paths: ReturnType<typeof cachePaths>;
  readonly outside: OutsideWorld;
};

/** Finds out, from the signed index, which packages the image is made of today. */
export async function resolvePackages(options: Options): Promise<BuildInputs> {
  const { arch, extras = [], signal, onProgress, paths, outside } = options;
  const { env = process.env, keys, now, fetch } = outside;
  const { index, version } = await fetchIndex({
    mirrors: findMirrors({ settings: options.mirrors ?? {}, env, aptSources: await readAptSources() }),
    codename,
    arch,
    pathOf: paths.download,
    keys,
    now,
    fetch,
    signal,
    onProgress: (item, doneBytes, totalBytes) =>
      onProgress?.({ phase: 'index', item, doneBytes, totalBytes }),
  });
  const packages = solve({
    index,
    wanted: [
      ...wantedPackages,
      kernelPackage[arch],
      ...extras.flatMap((extra) => extraParts[extra][arch].packages),
    ],
    excluded: new Set(excludedPackages),
  });
  const kernel = packages.find(({ name }) => /^linux-image-\d/.test(name));
  if (kernel === undefined) throw new FailedPrecondition(`${kernelPackage[arch]} depends on no kernel`);
  return { distributionVersion: version, packages, kernel };
}

/** Brings the packages and Node into the cache, verified. Returns the path of Node's archive. */
export async function downloadInputs(
  { packages }: BuildInputs,
  workDirectory: string,
  options: Options,
): Promise<string> {
  const { arch, signal, onProgress, paths, outside } = options;
  await fetchAll(
    packages.map((found) => ({
      ...found,
      name: `${found.name} ${found.version}`,
      url: `${found.archive}/${found.filename}`,
      path: paths.download(found.sha256),
    })),
    {
      fetch: outside.fetch,
      signal,
      onProgress: (item, doneBytes, totalBytes) =>
        onProgress?.({ phase: 'download', item, doneBytes, totalBytes }),
    },
  );
  const { runtime, ...node } = outside.node ?? { runtime: nodeRuntime[arch] };
  onProgress?.({
    phase: 'download',
    item: `${runtime.package} ${runtime.version}`,
    doneBytes: 0,
    totalBytes: null,
  });
  return fetchNodeArchive({ ...node, runtime, pathOf: paths.download, workDirectory, signal });
}
