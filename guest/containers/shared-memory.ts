import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { run, tryRun } from '../host/exec.ts';
import { defaultShmBytes } from '../runtime/spec/mounts.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Dependencies } from './dependencies.ts';

type Needed = Pick<Dependencies, 'paths'>;

/**
 * For `--ipc shareable`: /dev/shm must be a mount that other containers can be given, too, so it is made in
 * the engine's mount namespace. (Where the engine has one of its own, nobody can join after its restart.)
 */
export async function shareMemory({ id, hostConfig }: ContainerRecord, { paths }: Needed): Promise<void> {
  if (hostConfig.IpcMode !== 'shareable') return;
  const place = paths.sharedMemory(id);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const options = `nosuid,noexec,nodev,mode=1777,size=${hostConfig.ShmSize || defaultShmBytes}`;
  await run('busybox', ['mount', '-t', 'tmpfs', '-o', options, 'shm', place]);
}

/** After a run. Idempotent; who joined keeps it. */
export async function unshareMemory({ id }: ContainerRecord, { paths }: Needed): Promise<void> {
  const place = paths.sharedMemory(id);
  if (!existsSync(place)) return;
  await tryRun('umount', ['-l', place]);
  rmdirSync(place);
}
