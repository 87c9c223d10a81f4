import { readFileSync, writeFileSync } from 'node:fs';
import { bodies } from '../schema/bodies.ts';

/** FIFOs of guest/boot/root/usr/lib/machine/common. */
const loaded = '/run/machine/loaded';
const started = '/run/machine/started';

/**
 * In a VM of which the host takes a checkpoint, for others to resume (drivers/qemu/checkpoint.ts): loads the code,
 * says so, and returns in a machine that has a name, a disk and the right time. Nothing that differs between
 * machines may have been read or drawn before, random numbers included.
 */
export async function resumeAsMachine(): Promise<void> {
  await bodies();
  writeFileSync(loaded, '');
  // Blocks this thread, and so whatever time might set off, until the last writer has closed it.
  readFileSync(started);
}
