import type { SelectedModule } from './select-modules.ts';

/**
 * The text files that modprobe reads (modules.dep(5)), made from the modules themselves. kmod would want
 * binary ones; busybox, which the guest has, reads these.
 */
export function moduleIndexes(modules: readonly SelectedModule[]): Map<string, string> {
  const byName = new Map(modules.map((module) => [module.name, module]));
  const dep = modules.map(({ name, path }) => {
    const paths = dependenciesOf(name, byName).map((dependency) => byName.get(dependency)!.path);
    return `${path}:${paths.map((dependency) => ` ${dependency}`).join('')}\n`;
  });
  const alias = modules.flatMap(({ name, info }) => info.aliases.map((alias) => `alias ${alias} ${name}\n`));
  const softdep = modules.flatMap(({ name, info }) =>
    info.softdepLines.map((line) => `softdep ${name} ${line}\n`),
  );
  return new Map([
    ['modules.dep', dep.sort().join('')],
    ['modules.alias', alias.sort().join('')],
    ['modules.softdep', softdep.sort().join('')],
    ['modules.symbols', ''],
  ]);
}

/** All that `name` needs, directly or not, the last to be loaded first: the order modprobe expects. */
function dependenciesOf(name: string, byName: ReadonlyMap<string, SelectedModule>): string[] {
  const order: string[] = [];
  const visit = (current: string) => {
    for (const dependency of byName.get(current)?.info.depends ?? []) {
      if (!byName.has(dependency) || order.includes(dependency)) continue;
      visit(dependency);
      order.push(dependency);
    }
  };
  visit(name);
  return order.reverse();
}
