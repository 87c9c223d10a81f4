import { Readable } from 'node:stream';
import { collect } from '../archive/collect.ts';
import { unxz } from '../archive/decompress.ts';
import { entryPath } from '../archive/entry-path.ts';
import { readDebFiles } from '../debian/deb.ts';
import { moduleName } from './module-info.ts';

/** The parts of a `linux-image` package that are used. */
export interface KernelPackage {
  readonly release: string;
  readonly image: Buffer;
  /** Names of what needs no loading. */
  readonly builtin: ReadonlySet<string>;
  /** `modules.builtin` and its companions, by file name, as they stand. */
  readonly indexes: ReadonlyMap<string, Buffer>;
  /** By name. */
  readonly modules: ReadonlyMap<string, PackedModule>;
  readonly copyright: Buffer | null;
}

export interface PackedModule {
  /** Below the release's directory, such as `kernel/fs/erofs/erofs.ko`. */
  readonly path: string;
  unpack(): Promise<Buffer>;
}

export async function readKernelPackage(deb: string): Promise<KernelPackage> {
  let release = '';
  let image: Buffer | undefined;
  let copyright: Buffer | null = null;
  const modules = new Map<string, PackedModule>();
  const indexes = new Map<string, Buffer>();
  for await (const entry of readDebFiles(deb)) {
    if (entry.type !== 'file') continue;
    const name = entryPath(entry.name);
    const inModules = /^(?:\/usr)?\/lib\/modules\/([^/]+)\/(.+)$/.exec(name);
    const bytes = () => collect(entry.body);
    if (/^\/boot\/vmlinu[xz]-/.test(name)) image = await bytes();
    else if (name.endsWith('/copyright')) copyright = await bytes();
    else if (inModules !== null) {
      release = inModules[1]!;
      const path = inModules[2]!;
      if (/\.ko(\.xz)?$/.test(path)) modules.set(moduleName(path), packedModule(path, await bytes()));
      else if (path.startsWith('modules.')) indexes.set(path, await bytes());
    }
  }
  if (image === undefined || release === '') throw new Error(`"${deb}" holds no kernel`);
  const builtinText = indexes.get('modules.builtin')?.toString() ?? '';
  const builtin = new Set(builtinText.split('\n').filter(Boolean).map(moduleName));
  return { release, image, builtin, indexes, modules, copyright };
}

function packedModule(path: string, bytes: Buffer): PackedModule {
  return {
    path: path.replace(/\.xz$/, ''),
    unpack: async () => (path.endsWith('.xz') ? collect(await unxz(Readable.from([bytes]))) : bytes),
  };
}
