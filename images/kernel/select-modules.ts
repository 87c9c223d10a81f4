import { FailedPrecondition } from '../../drivers/errors.ts';
import type { KernelPackage } from './kernel-package.ts';
import { type ModuleInfo, readModuleInfo } from './module-info.ts';

export interface SelectedModule {
  readonly name: string;
  /** Below the release's directory, such as `kernel/fs/erofs/erofs.ko`. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly info: ModuleInfo;
}

/**
 * The wanted modules (names, or directories below `kernel/` that end in a slash) with all they depend on,
 * dependencies before dependents. Soft dependencies come along when they exist. What is built in is skipped.
 * Throws FailedPrecondition when a name is neither.
 */
export async function selectModules(
  kernel: Pick<KernelPackage, 'release' | 'modules' | 'builtin'>,
  wanted: readonly string[],
): Promise<SelectedModule[]> {
  const selected = new Map<string, SelectedModule>();
  const visiting = new Set<string>();

  const visit = async (name: string, by: string): Promise<void> => {
    if (kernel.builtin.has(name) || visiting.has(name)) return;
    const found = kernel.modules.get(name);
    if (found === undefined)
      throw new FailedPrecondition(`kernel ${kernel.release} has no module "${name}", which ${by} needs`);
    visiting.add(name);
    const bytes = await found.unpack();
    const info = await readModuleInfo(bytes);
    for (const dependency of info.depends) await visit(dependency, name);
    for (const dependency of info.softDepends)
      if (kernel.modules.has(dependency)) await visit(dependency, name);
    selected.set(name, { name, path: found.path, bytes, info });
  };

  for (const name of expand(kernel, wanted)) await visit(name, 'the image');
  return [...selected.values()];
}

function expand({ modules }: Pick<KernelPackage, 'modules'>, wanted: readonly string[]): string[] {
  return wanted.flatMap((name) => {
    if (!name.endsWith('/')) return [name];
    const inside = [...modules].filter(([, { path }]) => path.startsWith(`kernel/${name}`));
    return inside.map(([module]) => module).sort();
  });
}
