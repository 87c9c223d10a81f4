import { InvalidParameter } from '../../errors.ts';
import type { HostSystem } from '../../host/system.ts';
import type { DeviceRule } from './devices.ts';

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
  readonly blkioWeight?: number;
}

const minMemoryBytes = 6 * 1024 * 1024;

/** dockerd's checks. Throws InvalidParameter. */
export function checkLimits(
  limits: ResourceLimits,
  host: Pick<HostSystem, 'cpuCount' | 'cgroupVersion' | 'cgroupControllers'>,
): void {
  const { memoryBytes = 0, memorySwapBytes = 0, nanoCpus = 0, blkioWeight = 0 } = limits;
  if (blkioWeight !== 0 && (blkioWeight < 10 || blkioWeight > 1000))
    throw new InvalidParameter('Range of blkio weight is from 10 to 1000');
  if (blkioWeight !== 0 && !host.cgroupControllers.has(host.cgroupVersion === '2' ? 'io' : 'blkio'))
    throw new InvalidParameter('This host has no control group controller for block I/O weights');
  if (memoryBytes > 0 && memoryBytes < minMemoryBytes)
    throw new InvalidParameter('Minimum memory limit allowed is 6MB');
  if (memoryBytes > 0 && memorySwapBytes > 0 && memorySwapBytes < memoryBytes)
    throw new InvalidParameter('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (memoryBytes === 0 && memorySwapBytes > 0)
    throw new InvalidParameter(
      'You should always set the Memory limit when using Memoryswap limit, see usage',
    );
  if (memoryBytes > 0 && (limits.memoryReservationBytes ?? 0) > memoryBytes)
    throw new InvalidParameter(
      'Minimum memory limit can not be less than memory reservation limit, see usage',
    );
  if (nanoCpus < 0 || nanoCpus > host.cpuCount * 1e9)
    throw new InvalidParameter(
      `range of CPUs is from 0.01 to ${host.cpuCount}.00, as there are only ${host.cpuCount} CPUs available`,
    );
  if (nanoCpus > 0 && ((limits.cpuPeriodUs ?? 0) > 0 || (limits.cpuQuotaUs ?? 0) > 0))
    throw new InvalidParameter('Conflicting options: Nano CPUs and CPU Period or Quota cannot both be set.');
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
  });
  const cpu = some({
    shares: limits.cpuShares,
    period,
    quota,
    cpus: limits.cpusetCpus,
    mems: limits.cpusetMems,
  });
  return {
    ...(memory ? { memory } : {}),
    ...(cpu ? { cpu } : {}),
    ...(pidsLimit > 0 ? { pids: { limit: pidsLimit } } : {}),
    ...(limits.blkioWeight ? { blockIO: { weight: limits.blkioWeight } } : {}),
  };
}

/** Without what is 0, empty or absent; null when nothing is left. */
function some(values: Readonly<Record<string, number | string | undefined>>): object | null {
  const entries = Object.entries(values).filter(([, value]) => value);
  return entries.length > 0 ? Object.fromEntries(entries) : null;
}
