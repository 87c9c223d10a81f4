import type { DatabaseSync } from 'node:sqlite';
import { type Digest, digestOf } from '../digest.ts';
import { NotFound } from '../errors.ts';

/** OCI image spec, config.md, "Layer ChainID". */
export function chainIdOf(parent: Digest | null, diffId: Digest): Digest {
  return parent === null ? diffId : digestOf(`${parent} ${diffId}`);
}

/** The chain id after applying every diff in order; null for none. */
export function chainIdOfAll(diffIds: readonly Digest[]): Digest | null {
  return diffIds.reduce<Digest | null>(chainIdOf, null);
}

/** Directory numbers of a chain, top layer first. Throws NotFound when the chain is not complete. */
export function chainDirs(db: DatabaseSync, top: Digest | null): number[] {
  if (top === null) return [];
  const rows = db
    .prepare(
      `WITH RECURSIVE chain(chain_id, dir, parent, depth) AS (
         SELECT chain_id, dir, parent, 0 FROM layers WHERE chain_id = ?
         UNION ALL
         SELECT l.chain_id, l.dir, l.parent, depth + 1 FROM layers l JOIN chain c ON l.chain_id = c.parent
       ) SELECT dir FROM chain ORDER BY depth`,
    )
    .all(top);
  if (rows.length === 0) throw new NotFound(`layer ${top} does not exist`);
  return rows.map((row) => Number(row.dir));
}
