import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Lets a group have as many processes as it likes, for which crun's `update` has no word. */
export function liftPidsLimit(group: string): void {
  const file = join(group, 'pids.max');
  if (existsSync(file)) writeFileSync(file, 'max');
}
