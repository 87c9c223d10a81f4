import { readFileSync, statfsSync } from 'node:fs';
import { arch, cpus, hostname, release, totalmem, version } from 'node:os';
import { knowsIoWeight } from './io-weight.ts';

/** What `/info` and `/version` tell about the computer. Read once: it does not change while we run. */
export interface HostSystem {
  readonly hostname: string;
  readonly kernelRelease: string;
  readonly kernelVersion: string;
  /** `Debian GNU/Linux 13 (trixie)`. */
  readonly osName: string;
  readonly osVersion: string;
  /** As `uname -m` says it: x86_64, aarch64. */
  readonly machine: string;
  /** As Go says it: amd64, arm64. */
  readonly goArch: string;
  readonly cpuCount: number;
  /** The kernel's list format: `0-3`. */
  readonly onlineCpus: string;
  readonly onlineMems: string;
  readonly memoryBytes: number;
  readonly cgroupVersion: '1' | '2';
  /** Controllers that containers can use. */
  readonly cgroupControllers: ReadonlySet<string>;
  readonly knowsIoWeight: () => boolean;
  /** What to type to get emulators of other architectures. */
  readonly emulatorAdvice: string;
}

const machines: Readonly<Record<string, { machine: string; goArch: string }>> = {
  x64: { machine: 'x86_64', goArch: 'amd64' },
  arm64: { machine: 'aarch64', goArch: 'arm64' },
};

/** @param isMachine a VM of ours */
export function readHostSystem({ isMachine = false } = {}): HostSystem {
  const os = osRelease();
  // Also those that a machine of ours brings up only in a moment.
  const processors = read('/sys/devices/system/cpu/present').trim();
  const groups = cgroups();
  return {
    hostname: hostname(),
    kernelRelease: release(),
    kernelVersion: version(),
    osName: os.get('PRETTY_NAME') ?? 'Linux',
    osVersion: os.get('VERSION_ID') ?? '',
    ...(machines[arch()] ?? { machine: arch(), goArch: arch() }),
    cpuCount: countOf(processors) || cpus().length,
    onlineCpus: processors,
    // A kernel without NUMA has one node and no file that says so.
    onlineMems: read('/sys/devices/system/node/online').trim() || '0',
    memoryBytes: totalmem(),
    ...groups,
    knowsIoWeight: () => knowsIoWeight(groups.cgroupVersion),
    emulatorAdvice: isMachine
      ? `machine restart --with qemu-user ${hostname()} brings one`
      : "Debian's package qemu-user-binfmt brings one",
  };
}

/** Processors of a list such as `0-3,8`. */
function countOf(list: string): number {
  return list
    .split(',')
    .filter(Boolean)
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
}

/** Changes when the first bridge is made, so it is asked each time. */
export function forwardsIpv4(): boolean {
  return read('/proc/sys/net/ipv4/ip_forward').trim() === '1';
}

/** os-release(5): shell assignments, quoted or not. */
function osRelease(): Map<string, string> {
  const lines = read('/etc/os-release').split('\n');
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const found = /^(\w+)=["']?(.*?)["']?$/.exec(line);
      return found ? [[found[1]!, found[2]!]] : [];
    }),
  );
}

const cgroupRoot = '/sys/fs/cgroup';
/** CGROUP2_SUPER_MAGIC, linux/magic.h. */
const cgroup2Magic = 0x63677270;

function cgroups(): Pick<HostSystem, 'cgroupVersion' | 'cgroupControllers'> {
  if (statfsSync(cgroupRoot).type === cgroup2Magic) {
    const words = read(`${cgroupRoot}/cgroup.controllers`).trim().split(' ');
    return { cgroupVersion: '2', cgroupControllers: new Set(words) };
  }
  // name, hierarchy (0 = not mounted), number of groups, enabled: see cgroups(7).
  const rows = read('/proc/cgroups')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  return {
    cgroupVersion: '1',
    cgroupControllers: new Set(
      rows.filter((row) => row[1] !== undefined && row[1] !== '0').map((row) => row[0]!),
    ),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
