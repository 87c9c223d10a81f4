import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const files = ['io.weight', 'io.bfq.weight', 'blkio.weight', 'blkio.bfq.weight'];

/**
 * Whether the kernel can weigh control groups' block I/O. The root group has no such file, so another is looked
 * at; while there is none, nothing speaks against it.
 */
export function knowsIoWeight(cgroupVersion: '1' | '2'): boolean {
  const root = cgroupVersion === '2' ? '/sys/fs/cgroup' : '/sys/fs/cgroup/blkio';
  const groups = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(root, name));
  return groups.length === 0 || groups.some((group) => files.some((file) => existsSync(join(group, file))));
}
