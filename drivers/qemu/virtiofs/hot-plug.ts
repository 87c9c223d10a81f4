import { shareTag } from '../../../guest/wire/index.ts';
import { sharesPort } from '../args.ts';
import type { QmpClient } from '../qmp.ts';

/** Functions of one PCI device, which is what fits into a port. */
export const mostShares = 8;

/** Joins QEMU with the server of a share. Throws QmpError when it does not listen (yet). */
export async function connectShare(client: QmpClient, number: number, socket: string): Promise<void> {
  const addr = { type: 'unix', data: { path: socket } };
  const backend = { type: 'socket', data: { addr, server: false } };
  await client.execute('chardev-add', { id: chardev(number), backend });
}

/**
 * Gives the guest devices for all shares, at once: a guest looks at a port when it has function 0, so that comes last.
 * Only while it runs, since QEMU loads no checkpoint into a VM with such devices, and takes none of one (7.2).
 */
export async function plugShares(client: QmpClient, count: number): Promise<void> {
  for (let number = count - 1; number >= 0; number--)
    await client.execute('device_add', {
      driver: 'vhost-user-fs-pci',
      id: `share${number}`,
      chardev: chardev(number),
      tag: `${shareTag}${number}`,
      bus: sharesPort,
      addr: `0x0.0x${number}`,
      multifunction: true,
    });
}

function chardev(number: number): string {
  return `share-server${number}`;
}
