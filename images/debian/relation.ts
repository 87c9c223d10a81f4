import type { VersionOperator } from './version.ts';

/** One alternative of a dependency, such as `libc6 (>= 2.38)`. */
export interface Relation {
  readonly name: string;
  readonly constraint?: { readonly operator: VersionOperator; readonly version: string };
}

const pattern = /^([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?(?:\s*\(\s*(<<|<=|=|>=|>>)\s*([^)\s]+)\s*\))?$/;

/**
 * Parses `Depends`, `Pre-Depends` and `Provides` (Debian policy 7.1): all of the outer list, one of each inner.
 * Architecture qualifiers (`:any`) are dropped, since an image holds one architecture only.
 */
export function parseRelations(field: string): Relation[][] {
  return field
    .split(',')
    .map((clause) => clause.trim())
    .filter((clause) => clause !== '')
    .map((clause) => clause.split('|').map((alternative) => parseRelation(alternative.trim())));
}

function parseRelation(text: string): Relation {
  const match = pattern.exec(text);
  if (match === null) throw new Error(`cannot read the dependency "${text}"`);
  const [, name, operator, version] = match;
  if (operator === undefined) return { name: name! };
  return { name: name!, constraint: { operator: operator as VersionOperator, version: version! } };
}

export function relationText({ name, constraint }: Relation): string {
  return constraint === undefined ? name : `${name} (${constraint.operator} ${constraint.version})`;
}
