import type { DatabaseSync } from 'node:sqlite';
import type { Digest } from '../digest.ts';

/**
 * Forgets the layers that no image, snapshot, cached build step or child layer needs and no lease holds; returns them, children
 * first. One look at one moment: to be called in a transaction.
 */
export function deleteUnusedLayers(
  db: DatabaseSync,
  held: ReadonlySet<Digest>,
): { readonly dir: number; readonly chainId: Digest }[] {
  const statement = db.prepare(
    `DELETE FROM layers WHERE chain_id NOT IN (
       SELECT parent FROM layers WHERE parent IS NOT NULL
       UNION SELECT chain_id FROM images WHERE chain_id IS NOT NULL
       UNION SELECT parent FROM snapshots WHERE parent IS NOT NULL
       UNION SELECT chain_id FROM build_cache WHERE chain_id IS NOT NULL
       UNION SELECT value FROM json_each(?)
     ) RETURNING dir, chain_id`,
  );
  const gone: { dir: number; chainId: Digest }[] = [];
  // A layer falls only after those on top of it.
  for (;;) {
    const rows = statement.all(JSON.stringify([...held]));
    if (rows.length === 0) return gone;
    gone.push(...rows.map((row) => ({ dir: Number(row.dir), chainId: row.chain_id as Digest })));
  }
}
