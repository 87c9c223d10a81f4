import { fromBuffer, readSections } from './elf.ts';

/** What a kernel module says of itself in its `.modinfo` section. */
export interface ModuleInfo {
  /** Names of modules that must be loaded before. */
  readonly depends: readonly string[];
  /** Names that may not exist; loaded before or after when they do. */
  readonly softDepends: readonly string[];
  /** `softdep` lines as they stand. */
  readonly softdepLines: readonly string[];
  /** Patterns by which the kernel asks for it. */
  readonly aliases: readonly string[];
}

export async function readModuleInfo(module: Buffer): Promise<ModuleInfo> {
  const section = (await readSections(fromBuffer(module))).find(({ name }) => name === '.modinfo');
  const lines = ((await section?.bytes())?.toString('latin1') ?? '').split('\0').filter(Boolean);
  const valuesOf = (key: string) =>
    lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.slice(key.length + 1));
  const softdepLines = valuesOf('softdep');
  return {
    depends: valuesOf('depends')
      .flatMap((value) => value.split(','))
      .filter(Boolean)
      .map(moduleName),
    softDepends: softdepLines
      .flatMap((line) => line.split(/\s+/))
      .filter((word) => word !== '' && !word.endsWith(':'))
      .map(moduleName),
    softdepLines,
    aliases: valuesOf('alias'),
  };
}

/** A module's name: of a path, without endings, and with dashes as underscores. */
export function moduleName(path: string): string {
  return path
    .replace(/^.*\//, '')
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_');
}
