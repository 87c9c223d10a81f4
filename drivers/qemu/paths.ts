import { lstat, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { FailedPrecondition } from '../errors.ts';

/** sun_path holds 104 bytes on macOS and 108 on Linux, with the zero at its end. */
const maxSocketPathBytes = 103;

/**
 * Every file that the driver makes.
 *
 *   <machine>/disk.qcow2       what the machine keeps
 *   <machine>/console.log      since the last power-on;  console.log.1 = the power-on before it
 *   <machine>/qemu.log         QEMU's own words since the last power-on
 *   <machine>/qemu.json        the QEMU process; exists while it should run
 *   <machine>/boot/            fw_cfg items, with secrets; only while QEMU starts
 *   <sockets>/{qmp,agent,power}.sock
 */
export function qemuPaths(directory: string) {
  const bootItems = join(directory, 'boot');
  return {
    disk: join(directory, 'disk.qcow2'),
    console: join(directory, 'console.log'),
    previousConsole: join(directory, 'console.log.1'),
    log: join(directory, 'qemu.log'),
    process: join(directory, 'qemu.json'),
    bootItems,
    bootItem: (name: string) => join(bootItems, name),
  };
}

export type QemuPaths = ReturnType<typeof qemuPaths>;

export const channels = ['qmp', 'agent', 'power'] as const;
export type Channel = (typeof channels)[number];

export function socketPath(directory: string, channel: Channel): string {
  const path = join(directory, `${channel}.sock`);
  if (Buffer.byteLength(path) > maxSocketPathBytes)
    throw new FailedPrecondition(`"${path}" is too long for a unix socket`);
  return path;
}

/** Where sockets go when they do not fit into the machine's directory: always the same place for the same machine. */
export function socketDirectoryFor(directory: string, temporary = tmpdir()): string | null {
  const longest = Math.max(...channels.map((name) => Buffer.byteLength(join(directory, `${name}.sock`))));
  if (longest <= maxSocketPathBytes) return null;
  // Loaded here, since few need it and `machine env`, which is timed in milliseconds, does not.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 16);
  return join(temporary, `machine-${hash}`);
}

/** Makes the directory of the sockets, ours alone. Throws FailedPrecondition when another user has put something there. */
export async function makeSocketDirectory(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
    throw new FailedPrecondition(`"${path}" belongs to someone else; remove it`);
}

/** The sockets of a QEMU that is gone; missing ones are no error. */
export async function removeSockets(directory: string): Promise<void> {
  for (const channel of channels) await rm(join(directory, `${channel}.sock`), { force: true });
}
