import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidParameter } from '../../errors.ts';

export interface DeviceWish {
  readonly pathOnHost: string;
  readonly pathInContainer: string;
  /** Letters of `rwm`. */
  readonly permissions: string;
}

export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: 'a' | 'b' | 'c';
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface DeviceNode {
  readonly path: string;
  readonly type: 'b' | 'c';
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Any node may be made, none used but what follows: Docker's defaults (null, zero, full, random, tty, pts, tun no). */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...(
    [
      [1, 3],
      [1, 5],
      [1, 7],
      [1, 8],
      [1, 9],
      [5, 0],
      [5, 1],
      [5, 2],
    ] as const
  ).map(([major, minor]): DeviceRule => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

export const everyDevice: readonly DeviceRule[] = [{ allow: true, access: 'rwm' }];

/** `--device-cgroup-rule "c 1:3 rwm"`. Throws InvalidParameter. */
export function parseDeviceRule(text: string): DeviceRule {
  const found = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (!found) throw new InvalidParameter(`invalid device cgroup rule format: '${text}'`);
  const [, type, major, minor, access] = found;
  return {
    allow: true,
    type: type as 'a' | 'b' | 'c',
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access: access!,
  };
}

/** Nodes of `--device`, and the rules that let them be used. A directory gives all devices below it. */
export function deviceNodes(wishes: readonly DeviceWish[]): { nodes: DeviceNode[]; rules: DeviceRule[] } {
  const found = wishes.flatMap((wish) =>
    nodesAt(wish.pathOnHost, wish.pathInContainer).map((node) => ({ node, access: wish.permissions })),
  );
  if (found.length === 0 && wishes.length > 0) {
    throw new InvalidParameter(
      `error gathering device information while adding custom device "${wishes[0]!.pathOnHost}": not a device node`,
    );
  }
  return {
    nodes: found.map(({ node }) => node),
    rules: found.map(({ node: { type, major, minor }, access }) => ({
      allow: true,
      type,
      major,
      minor,
      access,
    })),
  };
}

/** For `--privileged`: every device of the engine's /dev but terminals, which are the container's own. */
export function hostDevices(): DeviceNode[] {
  return nodesAt('/dev', '/dev').filter(
    ({ path }) => !/^\/dev\/(pts|shm|fd|mqueue|console|ptmx|tty$|null$|zero$|full$|u?random$)/.test(path),
  );
}

function nodesAt(source: string, destination: string): DeviceNode[] {
  let stat: ReturnType<typeof statSync>;
  try {
    stat = statSync(source);
  } catch (cause) {
    throw new InvalidParameter(
      `error gathering device information while adding custom device "${source}": no such file or directory`,
      { cause },
    );
  }
  if (stat.isDirectory()) {
    return readdirSync(source)
      .filter((name) => !['pts', 'shm', 'fd', 'mqueue'].includes(name))
      .filter((name) => !lstatSync(join(source, name)).isSymbolicLink())
      .flatMap((name) => nodesAt(join(source, name), join(destination, name)));
  }
  if (!stat.isBlockDevice() && !stat.isCharacterDevice()) return [];
  return [
    {
      path: destination,
      type: stat.isBlockDevice() ? 'b' : 'c',
      ...majorMinor(stat.rdev),
      fileMode: stat.mode & 0o777,
      uid: stat.uid,
      gid: stat.gid,
    },
  ];
}

/** gnu_dev_major and gnu_dev_minor, sys/sysmacros.h. */
export function majorMinor(rdev: number): { major: number; minor: number } {
  return { major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
}
