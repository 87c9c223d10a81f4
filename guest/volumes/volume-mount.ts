import { readFile } from 'node:fs/promises';
import { InvalidParameter } from '../errors.ts';
import { run, tryRun } from '../host/exec.ts';
import { mountTable } from '../host/mount-table.ts';
import type { VolumeMount } from './volume-options.ts';

/** Whether the kernel has a file system, after loading its module where that is to be had. */
export async function hasFileSystem(name: string): Promise<boolean> {
  if (await isRegistered(name)) return true;
  if (!/^[a-z0-9_]+$/.test(name)) return false;
  await tryRun('modprobe', ['-q', `fs-${name}`]).catch(() => null);
  return isRegistered(name);
}

async function isRegistered(name: string): Promise<boolean> {
  const text = await readFile('/proc/filesystems', 'utf8');
  return text.split('\n').some((line) => line.split('\t')[1] === name);
}

/** Idempotent. Throws InvalidParameter in dockerd's words when it fails. */
export async function mountVolume(mount: VolumeMount, directory: string): Promise<void> {
  if (isMountPoint(directory)) return;
  const { type, device } = mount;
  const options = await resolved(mount);
  // -i: the kernel's own way; helpers of file systems are not there.
  const how = ['-i', '-t', type, ...(options === '' ? [] : ['-o', options])];
  await run('mount', [...how, device, directory]).catch((cause) => {
    throw new InvalidParameter(
      `error while mounting volume '${directory}': failed to mount local volume: mount ${device}:${directory}${options && `, data: ${options}`}: ${reasonOf(cause.message)}`,
      { cause },
    );
  });
}

/** What the kernel said, of which mount(8) tells at length; its own words where they are of another thing. */
function reasonOf(said: string): string {
  if (/does not exist/.test(said)) return 'no such file or directory';
  if (/wrong fs type, bad option/.test(said)) return 'invalid argument';
  return /permission denied/i.test(said) ? 'permission denied' : said;
}

/** Idempotent. Lazy: a server that does not answer must not keep a container from ending. */
export async function unmountVolume(directory: string): Promise<void> {
  if (isMountPoint(directory)) await run('umount', ['-l', directory]);
}

/** The kernel takes addresses only, people give names: `addr=nas.local` (nfs, cifs). */
async function resolved({ type, options }: VolumeMount): Promise<string> {
  const name = /(?:^|,)addr=([^,]+)/.exec(options)?.[1];
  if (!name || !/^(?:nfs4?|cifs)$/.test(type)) return options;
  // Loaded when it is needed: an engine that starts has enough to load.
  const { lookup } = await import('node:dns/promises');
  const { address } = await lookup(name).catch((cause) => {
    throw new InvalidParameter(`error resolving passed in network volume address: ${cause.message}`, {
      cause,
    });
  });
  return options.replace(`addr=${name}`, `addr=${address}`);
}

function isMountPoint(directory: string): boolean {
  return mountTable().some(({ point }) => point === directory);
}
