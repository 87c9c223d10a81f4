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
  return chainRows(db, top).map((row) => Number(row.dir));
}

/** Bytes of a chain's layers. Throws as {@link chainDirs}. */
export function chainBytes(db: DatabaseSync, top: Digest | null): number {
  return chainRows(db, top).reduce((sum, row) => sum + Number(row.size), 0);
}

function chainRows(db: DatabaseSync, top: Digest | null) {
  if (top === null) return [];
  const rows = db
    .prepare(
      `WITH RECURSIVE chain(chain_id, dir, size, parent, depth) AS (
         SELECT chain_id, dir, size, parent, 0 FROM layers WHERE chain_id = ?
         UNION ALL
         SELECT l.chain_id, l.dir, l.size, l.parent, depth + 1 FROM layers l JOIN chain c ON l.chain_id = c.parent
       ) SELECT dir, size FROM chain ORDER BY depth`,
    )
    .all(top);
  if (rows.length === 0) throw new NotFound(`layer ${top} does not exist`);
  return rows;
}
