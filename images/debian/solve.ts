import { FailedPrecondition } from '../../drivers/errors.ts';
import type { DebianPackage, PackagesIndex } from './packages-index.ts';
import { parseRelations, type Relation, relationText } from './relation.ts';
import { versionSatisfies } from './version.ts';

export interface SolveOptions {
  readonly index: PackagesIndex;
  readonly wanted: readonly string[];
  /** Names that are left out although something depends on them. */
  readonly excluded: ReadonlySet<string>;
}

/**
 * The packages that are needed to have `wanted`, by name. Follows Depends and Pre-Depends, takes the first
 * alternative that is there (one already chosen before others), and a real package before one that only
 * provides the name. Recommends are not followed. Throws FailedPrecondition naming the chain that cannot be met.
 */
export function solve({ index, wanted, excluded }: SolveOptions): DebianPackage[] {
  const chosen = new Map<string, DebianPackage>();
  const queue: { alternatives: readonly Relation[]; by: string }[] = wanted.map((name) => ({
    alternatives: [{ name }],
    by: 'the image',
  }));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { alternatives, by } = next;
    if (alternatives.some(({ name }) => excluded.has(name))) continue;
    if (alternatives.some((relation) => candidates(index, relation).some(({ name }) => chosen.has(name))))
      continue;
    const found = alternatives.flatMap((relation) => candidates(index, relation))[0];
    if (found === undefined) {
      const text = alternatives.map(relationText).join(' | ');
      throw new FailedPrecondition(`${by} needs the package "${text}", which the archive does not have`);
    }
    chosen.set(found.name, found);
    for (const clause of parseRelations(found.depends)) queue.push({ alternatives: clause, by: found.name });
  }
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function candidates(index: PackagesIndex, { name, constraint }: Relation): DebianPackage[] {
  const real = index.get(name);
  const fits = (version: string | undefined) =>
    constraint === undefined ||
    (version !== undefined && versionSatisfies(version, constraint.operator, constraint.version));
  const providers = index.providersOf(name).filter((provider) =>
    // A name that is provided without a version satisfies no versioned dependency (Debian policy 7.5).
    provider.provides.some((provided) => provided.name === name && fits(provided.constraint?.version)),
  );
  return real !== undefined && fits(real.version) ? [real, ...providers] : providers;
}
