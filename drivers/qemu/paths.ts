import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FailedPrecondition } from '../errors.ts';
import { maxSocketPathBytes, shortDirectoryFor } from '../socket-path.ts';

/**
 * Every file that the driver makes.
 *
 *   <machine>/disk.qcow2       what the machine keeps
 *   <machine>/console.log      since the last power-on;  console.log.1 = the power-on before it
 *   <machine>/qemu.log         QEMU's own words since the last power-on
 *   <machine>/qemu.json        the QEMU process; exists while it should run
 *   <machine>/virtiofsd.json   the processes that serve its directories by virtiofs; virtiofsd.log = their words
 *   <machine>/boot/            fw_cfg items, with secrets; only while QEMU starts
 *   <sockets>/{qmp,agent,power,watch,files}.sock   `watch` is a second monitor, for the machine's supervisor;
 *                              `files` is where directories of this computer go in
 */
export function qemuPaths(directory: string) {
  const bootItems = join(directory, 'boot');
  return {
    disk: join(directory, 'disk.qcow2'),
    console: join(directory, 'console.log'),
    previousConsole: join(directory, 'console.log.1'),
    log: join(directory, 'qemu.log'),
    process: join(directory, 'qemu.json'),
    shareServers: join(directory, 'virtiofsd.json'),
    shareLog: join(directory, 'virtiofsd.log'),
    bootItems,
    bootItem: (name: string) => join(bootItems, name),
  };
}

export type QemuPaths = ReturnType<typeof qemuPaths>;

export const channels = ['qmp', 'agent', 'power', 'watch', 'files'] as const;
export type Channel = (typeof channels)[number];

export function socketPath(directory: string, channel: Channel): string {
  const path = join(directory, `${channel}.sock`);
  if (Buffer.byteLength(path) > maxSocketPathBytes)
    throw new FailedPrecondition(`"${path}" is too long for a unix socket`);
  return path;
}

/** Where the sockets go when they do not fit into the machine's directory; else null. */
export function socketDirectoryFor(directory: string, temporary?: string): string | null {
  const names = channels.map((name) => `${name}.sock`);
  return shortDirectoryFor(directory, names, temporary);
}

/** The sockets of a QEMU that is gone; missing ones are no error. */
export async function removeSockets(directory: string): Promise<void> {
  for (const channel of channels) await rm(join(directory, `${channel}.sock`), { force: true });
}
