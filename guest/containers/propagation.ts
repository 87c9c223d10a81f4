import { realpathSync } from 'node:fs';
import { Internal } from '../errors.ts';
import { mountOf, mountTable } from '../host/mount-table.ts';
import type { RecordedMount } from './container-record.ts';

export const propagations = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'];

/**
 * Before a start, when the source is there: nothing can be passed on from a mount that passes nothing on. Throws
 * Internal in dockerd's words.
 */
export function checkPropagation({ type, source, propagation }: RecordedMount): void {
  if (type !== 'bind' || !/shared|slave/.test(propagation)) return;
  const mount = mountOf(realpathSync(source), mountTable());
  if (mount?.shared) return;
  const slave = propagation.includes('slave');
  if (slave && mount?.slave) return;
  throw new Internal(
    `path ${source} is mounted on ${mount?.point} but it is not a ${slave ? 'shared or slave' : 'shared'} mount`,
  );
}
