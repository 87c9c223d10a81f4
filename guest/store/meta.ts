import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** The `meta` table: a few words that belong to the data root as a whole. */
export interface Meta {
  /** Random, made at the first start. */
  readonly engineId: string;
  /** The kernel has been booted since the last start on this data root: nothing that ran runs any more. */
  readonly rebooted: boolean;
}

/** Reads what was, and remembers this boot. */
export function openMeta(db: DatabaseSync, bootId: string): Meta {
  const read = (key: string) =>
    db.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.value as string | undefined;
  const write = (key: string, value: string) =>
    db
      .prepare(
        'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      )
      .run(key, value);
  let engineId = read('engine_id');
  if (engineId === undefined) {
    engineId = randomUUID();
    write('engine_id', engineId);
  }
  const lastBoot = read('boot_id');
  if (lastBoot !== bootId) write('boot_id', bootId);
  return { engineId, rebooted: lastBoot !== undefined && lastBoot !== bootId };
}

/** Differs after every boot of the kernel. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
