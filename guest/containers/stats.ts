import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostSystem } from '../host/system.ts';
import type { CgroupLocation } from '../runtime/cgroup-location.ts';

/** One reading of what a container uses; the wire shape is made of two. */
export interface Sample {
  readonly read: string;
  readonly cpu: {
    readonly totalNs: number;
    readonly userNs: number;
    readonly systemNs: number;
    /** CPU time of the whole computer: clients divide by its growth. */
    readonly hostNs: number;
    readonly throttling: {
      readonly periods: number;
      readonly throttledPeriods: number;
      readonly throttledNs: number;
    };
  };
  readonly memory: {
    readonly usage: number;
    readonly limit: number;
    readonly stats: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit: number };
  readonly networks: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly blkio: readonly {
    readonly major: number;
    readonly minor: number;
    readonly op: string;
    readonly value: number;
  }[];
}

export function sample(
  container: { readonly id: string; readonly pid: number },
  { cgroups, host }: { readonly cgroups: CgroupLocation; readonly host: HostSystem },
): Sample {
  const at = (controller: string) => (name: string) =>
    read(join(cgroups.directory(container.id, controller), name));
  const unified = host.cgroupVersion === '2';
  const cpu = unified ? cpuV2(at('cpu')) : cpuV1(at('cpuacct'));
  const memory = at('memory');
  const limit = Number.parseInt(memory(unified ? 'memory.max' : 'memory.limit_in_bytes'), 10);
  const pids = at('pids');
  return {
    read: new Date().toISOString(),
    cpu: { ...cpu, hostNs: hostCpuNs() },
    memory: {
      usage: number(memory(unified ? 'memory.current' : 'memory.usage_in_bytes')),
      limit: Number.isNaN(limit) || limit > host.memoryBytes ? host.memoryBytes : limit,
      stats: pairs(memory('memory.stat')),
    },
    pids: { current: number(pids('pids.current')), limit: number(pids('pids.max')) },
    networks: networkCounters(read(`/proc/${container.pid}/net/dev`)),
    blkio: unified ? blkioV2(at('io')('io.stat')) : [],
  };
}

/** `GET /containers/{id}/stats`. `previous` is null for the first, which clients then ignore. */
export function statsShape(
  container: { readonly id: string; readonly name: string },
  now: Sample | null,
  previous: Sample | null,
  cpuCount: number,
): object {
  return {
    id: container.id,
    name: `/${container.name}`,
    read: now?.read ?? '0001-01-01T00:00:00Z',
    preread: previous?.read ?? '0001-01-01T00:00:00Z',
    pids_stats: now
      ? { current: now.pids.current, ...(now.pids.limit > 0 ? { limit: now.pids.limit } : {}) }
      : {},
    blkio_stats: {
      io_service_bytes_recursive:
        now?.blkio.map(({ major, minor, op, value }) => ({ major, minor, op, value })) ?? null,
      io_serviced_recursive: null,
      io_queue_recursive: null,
      io_service_time_recursive: null,
      io_wait_time_recursive: null,
      io_merged_recursive: null,
      io_time_recursive: null,
      sectors_recursive: null,
    },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuShape(now, cpuCount),
    precpu_stats: cpuShape(previous, cpuCount),
    memory_stats: now ? { usage: now.memory.usage, stats: now.memory.stats, limit: now.memory.limit } : {},
    ...(now && Object.keys(now.networks).length > 0 ? { networks: now.networks } : {}),
  };
}

function cpuShape(sample: Sample | null, cpuCount: number): object {
  const cpu = sample?.cpu;
  return {
    cpu_usage: {
      total_usage: cpu?.totalNs ?? 0,
      usage_in_kernelmode: cpu?.systemNs ?? 0,
      usage_in_usermode: cpu?.userNs ?? 0,
    },
    ...(cpu ? { system_cpu_usage: cpu.hostNs, online_cpus: cpuCount } : {}),
    throttling_data: {
      periods: cpu?.throttling.periods ?? 0,
      throttled_periods: cpu?.throttling.throttledPeriods ?? 0,
      throttled_time: cpu?.throttling.throttledNs ?? 0,
    },
  };
}

type ReadFile = (name: string) => string;

function cpuV2(file: ReadFile) {
  const stat = pairs(file('cpu.stat'));
  return {
    totalNs: (stat.usage_usec ?? 0) * 1000,
    userNs: (stat.user_usec ?? 0) * 1000,
    systemNs: (stat.system_usec ?? 0) * 1000,
    throttling: {
      periods: stat.nr_periods ?? 0,
      throttledPeriods: stat.nr_throttled ?? 0,
      throttledNs: (stat.throttled_usec ?? 0) * 1000,
    },
  };
}

function cpuV1(file: ReadFile) {
  const stat = pairs(file('cpuacct.stat'));
  return {
    totalNs: number(file('cpuacct.usage')),
    // In ticks of 1/100 s.
    userNs: (stat.user ?? 0) * 10_000_000,
    systemNs: (stat.system ?? 0) * 10_000_000,
    throttling: { periods: 0, throttledPeriods: 0, throttledNs: 0 },
  };
}

/** All CPUs' time in /proc/stat's first line, without guest time, which is in user time already (proc(5)). */
function hostCpuNs(): number {
  const words = read('/proc/stat').split('\n', 1)[0]!.split(/\s+/).slice(1, 9);
  return words.reduce((sum, word) => sum + Number(word), 0) * 10_000_000;
}

function networkCounters(text: string): Record<string, Record<string, number>> {
  const rows = text
    .split('\n')
    .slice(2)
    .filter((line) => line.includes(':'));
  return Object.fromEntries(
    rows.flatMap((line) => {
      const [name = '', rest = ''] = line.split(':');
      const fields = rest.trim().split(/\s+/).map(Number);
      if (name.trim() === 'lo') return [];
      const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = fields;
      const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = fields.slice(8);
      return [
        [
          name.trim(),
          {
            rx_bytes: rxBytes,
            rx_packets: rxPackets,
            rx_errors: rxErrors,
            rx_dropped: rxDropped,
            tx_bytes: txBytes,
            tx_packets: txPackets,
            tx_errors: txErrors,
            tx_dropped: txDropped,
          },
        ],
      ];
    }),
  );
}

function blkioV2(text: string): Sample['blkio'] {
  return text
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const [device = '', ...words] = line.split(' ');
      const [major = 0, minor = 0] = device.split(':').map(Number);
      const value = (name: string) =>
        Number(words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? 0);
      return [
        { major, minor, op: 'read', value: value('rbytes') },
        { major, minor, op: 'write', value: value('wbytes') },
      ];
    });
}

function pairs(text: string): Record<string, number> {
  return Object.fromEntries(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' '))
      .map(([name = '', value]) => [name, Number(value)]),
  );
}

function number(text: string): number {
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? 0 : value;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
