import { InvalidParameter } from '../../errors.ts';
import type { HostSystem } from '../../host/system.ts';
import { type BlockIoLimits, blockIo } from './block-io.ts';
import type { DeviceRule } from './devices.ts';
import { parseNumberList } from './number-list.ts';

/** Limits of a container, as `docker run` takes them; 0 or absent = none. */
export interface ResourceLimits {
  readonly memoryBytes?: number;
  readonly memoryReservationBytes?: number;
  /** Memory and swap together; -1 = as much swap as there is. */
  readonly memorySwapBytes?: number;
  readonly nanoCpus?: number;
  readonly cpuShares?: number;
  readonly cpuPeriodUs?: number;
  readonly cpuQuotaUs?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: number;
  readonly blockIo?: BlockIoLimits;
  /** With cgroup v1 only: percent, and no killing when memory is short. */
  readonly swappiness?: number;
  readonly disableOomKiller?: boolean;
}

const minMemoryBytes = 6 * 1024 * 1024;

/** dockerd's checks. Throws InvalidParameter. */
export function checkLimits(
  limits: ResourceLimits,
  host: Pick<HostSystem, 'cpuCount' | 'onlineCpus' | 'onlineMems' | 'knowsIoWeight'>,
): void {
  const { memoryBytes = 0, memorySwapBytes = 0, memoryReservationBytes = 0, nanoCpus = 0 } = limits;
  const { cpuPeriodUs = 0, cpuQuotaUs = 0, cpuShares = 0, swappiness = 0 } = limits;
  const blkioWeight = limits.blockIo?.weight ?? 0;
  if (blkioWeight !== 0 && (blkioWeight < 10 || blkioWeight > 1000))
    throw new InvalidParameter('Range of blkio weight is from 10 to 1000');
  if (blkioWeight !== 0 && !host.knowsIoWeight())
    throw new InvalidParameter('Your kernel does not support Block I/O weight or the cgroup is not mounted');
  if (memoryBytes !== 0 && memoryBytes < minMemoryBytes)
    throw new InvalidParameter('Minimum memory limit allowed is 6MB');
  if (memoryBytes > 0 && memorySwapBytes > 0 && memorySwapBytes < memoryBytes)
    throw new InvalidParameter('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (memoryBytes === 0 && memorySwapBytes > 0)
    throw new InvalidParameter(
      'You should always set the Memory limit when using Memoryswap limit, see usage',
    );
  if (memoryReservationBytes !== 0 && memoryReservationBytes < minMemoryBytes)
    throw new InvalidParameter('Minimum memory reservation allowed is 6MB');
  if (swappiness < 0 || swappiness > 100)
    throw new InvalidParameter(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  if (memoryBytes > 0 && memoryReservationBytes > memoryBytes)
    throw new InvalidParameter(
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    );
  if (nanoCpus < 0 || nanoCpus > host.cpuCount * 1e9)
    throw new InvalidParameter(
      `Range of CPUs is from 0.01 to ${host.cpuCount}.00, as there are only ${host.cpuCount} CPUs available`,
    );
  if (nanoCpus > 0 && cpuPeriodUs > 0)
    throw new InvalidParameter('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (nanoCpus > 0 && cpuQuotaUs > 0)
    throw new InvalidParameter('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (cpuShares < 0)
    throw new InvalidParameter(`invalid CPU shares (${cpuShares}): value must be a positive integer`);
  if (cpuPeriodUs !== 0 && (cpuPeriodUs < 1000 || cpuPeriodUs > 1_000_000))
    throw new InvalidParameter(
      'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
    );
  if (cpuQuotaUs > 0 && cpuQuotaUs < 1000)
    throw new InvalidParameter('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  checkCpuset('CPUs', limits.cpusetCpus, host.onlineCpus);
  checkCpuset('memory nodes', limits.cpusetMems, host.onlineMems);
}

/** `0-3,5` against the numbers that are there. */
function checkCpuset(what: 'CPUs' | 'memory nodes', wanted: string | undefined, online: string): void {
  if (!wanted) return;
  const numbers = parseNumberList(wanted);
  const there = parseNumberList(online) ?? [];
  if (!numbers)
    throw new InvalidParameter(
      `Invalid value ${wanted} for cpuset ${what === 'CPUs' ? 'cpus' : 'mems'}: invalid format: ${wanted}`,
    );
  if (!numbers.every((number) => there.includes(number)))
    throw new InvalidParameter(
      `Requested ${what} are not available - requested ${wanted}, available: ${online}`,
    );
}

/** OCI `linux.resources`; crun translates it for cgroup v2. */
export function ociResources(
  limits: ResourceLimits,
  devices: readonly DeviceRule[],
): Readonly<Record<string, unknown>> {
  return { devices, ...limitResources(limits) };
}

/** The part that can be changed while a container runs. */
export function limitResources(limits: ResourceLimits): Readonly<Record<string, unknown>> {
  const { memoryBytes = 0, memorySwapBytes = 0, nanoCpus = 0, pidsLimit = 0 } = limits;
  const swap = memorySwapBytes === 0 && memoryBytes > 0 ? memoryBytes * 2 : memorySwapBytes;
  const period = nanoCpus > 0 ? 100_000 : limits.cpuPeriodUs;
  const quota = nanoCpus > 0 ? Math.round((nanoCpus * 100_000) / 1e9) : limits.cpuQuotaUs;
  const memory = some({
    limit: memoryBytes,
    reservation: limits.memoryReservationBytes,
    swap,
    swappiness: limits.swappiness,
    disableOOMKiller: limits.disableOomKiller,
  });
  const cpu = some({
    shares: limits.cpuShares,
    period,
    quota,
    cpus: limits.cpusetCpus,
    mems: limits.cpusetMems,
  });
  const io = blockIo(limits.blockIo ?? {});
  return {
    ...(memory ? { memory } : {}),
    ...(cpu ? { cpu } : {}),
    ...(pidsLimit > 0 ? { pids: { limit: pidsLimit } } : {}),
    ...(io ? { blockIO: io } : {}),
  };
}

/** Without what is 0, empty or absent; null when nothing is left. */
function some(values: Readonly<Record<string, number | string | boolean | undefined>>): object | null {
  const entries = Object.entries(values).filter(([, value]) => value);
  return entries.length > 0 ? Object.fromEntries(entries) : null;
}
