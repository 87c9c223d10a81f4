import type { MountSpec } from '../runtime-spec.ts';
import { initDestination } from './init-program.ts';
import { tmpfsOptions } from './tmpfs-options.ts';

/** `--shm-size` when nothing else was asked for. */
export const defaultShmBytes = 64 * 1024 * 1024;

export interface MountWish {
  readonly shmBytes: number;
  readonly privileged: boolean;
  readonly writableCgroups: boolean;
  /** A tmpfs of the container's own for /dev/shm, no mount of ours there, or a directory that others see. */
  readonly sharedMemory:
    | { readonly kind: 'own' | 'none' }
    | { readonly kind: 'bind'; readonly source: string };
  /** The host's file for {@link initDestination}. */
  readonly init: string | null;
  /** Of the engine, for hosts with cgroup v1, where a container's view is crun's business alike. */
  readonly files: readonly {
    readonly source: string;
    readonly destination: string;
    readonly readonly: boolean;
  }[];
  readonly binds: readonly BindMount[];
  readonly tmpfs: Readonly<Record<string, string>>;
}

export interface BindMount {
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
  /** What is mounted below the source stays writable. */
  readonly writableBelow: boolean;
  readonly propagation: string;
  readonly recursive: boolean;
}

/** All mounts of a container in the order in which they are made: a parent directory before what is below it. */
export function containerMounts(wish: MountWish): MountSpec[] {
  const user = [
    ...wish.files.map(({ source, destination, readonly }) =>
      bind(source, destination, [readonly ? 'ro' : 'rw']),
    ),
    ...wish.binds.map(({ source, destination, ...how }) =>
      bind(
        source,
        destination,
        [how.readonly ? (how.recursive && !how.writableBelow ? 'rro' : 'ro') : 'rw', how.propagation],
        how.recursive ? 'rbind' : 'bind',
      ),
    ),
    ...(wish.init ? [bind(wish.init, initDestination, ['ro'], 'bind')] : []),
    ...Object.entries(wish.tmpfs).map(([destination, options]) => tmpfs(destination, options)),
  ].sort((a, b) => depth(a.destination) - depth(b.destination));
  const replaced = new Set(user.map(({ destination }) => destination));
  return [...systemMounts(wish).filter(({ destination }) => !replaced.has(destination)), ...user];
}

function systemMounts({ shmBytes, privileged, writableCgroups, sharedMemory }: MountWish): MountSpec[] {
  const sysAccess = privileged ? 'rw' : 'ro';
  const mount = (destination: string, type: string, source: string, options: string): MountSpec => ({
    destination,
    type,
    source,
    options: options.split(','),
  });
  return [
    mount('/proc', 'proc', 'proc', 'nosuid,noexec,nodev'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid,strictatime,mode=755,size=65536k'),
    mount('/dev/pts', 'devpts', 'devpts', 'nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5'),
    mount('/sys', 'sysfs', 'sysfs', `nosuid,noexec,nodev,${sysAccess}`),
    mount('/sys/fs/cgroup', 'cgroup', 'cgroup', `${writableCgroups ? 'rw' : sysAccess},nosuid,noexec,nodev`),
    mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid,noexec,nodev'),
    ...(sharedMemory.kind === 'bind' ? [bind(sharedMemory.source, '/dev/shm', ['rw'])] : []),
    ...(sharedMemory.kind === 'own'
      ? [mount('/dev/shm', 'tmpfs', 'shm', `nosuid,noexec,nodev,mode=1777,size=${shmBytes}`)]
      : []),
  ];
}

function bind(source: string, destination: string, options: readonly string[], kind = 'rbind'): MountSpec {
  return { destination, type: 'bind', source, options: [kind, ...options] };
}

function tmpfs(destination: string, asked: string): MountSpec {
  return { destination, type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(asked) };
}

function depth(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}
