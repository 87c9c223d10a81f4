import { Conflict, InvalidParameter, NotImplemented } from '../errors.ts';
import type { HostSystem } from '../host/system.ts';
import { checkLimits } from '../runtime/spec/resources.ts';
import type { HostConfig, UpdateBody } from '../schema/container.ts';
import type { ContainerRecord } from './container-record.ts';
import { limitsOf } from './container-wish.ts';
import { checkRestartPolicy } from './restart-policy.ts';
import { refuseUnsupported } from './unsupported.ts';

/**
 * What `docker update` makes of a container's settings. Throws dockerd's errors, as for limits that
 * contradict those that were set before.
 */
export function updatedHostConfig(
  { id, hostConfig: before }: Pick<ContainerRecord, 'id' | 'hostConfig'>,
  { RestartPolicy: policy, ...limits }: UpdateBody,
  host: HostSystem,
): HostConfig {
  const given = Object.fromEntries(
    Object.entries(limits).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value)),
  );
  const after: HostConfig = {
    ...before,
    ...given,
    // 0 and -1 lift this one limit.
    ...(limits.PidsLimit == null ? {} : { PidsLimit: Math.max(0, limits.PidsLimit) }),
    ...(policy?.Name ? { RestartPolicy: policy } : {}),
  };
  if (before.AutoRemove && policy?.Name && policy.Name !== 'no') {
    throw new Conflict(
      `Cannot update container ${id}: Restart policy cannot be updated because AutoRemove is enabled for the container`,
    );
  }
  if (limits.CgroupParent && limits.CgroupParent !== before.CgroupParent)
    throw new NotImplemented('the parent group of a container cannot be changed; make a new one');
  const twice = twoCpuLimits(before, limits);
  if (twice) throw new Conflict(`Cannot update container ${id}: Conflicting options: ${twice}`);
  checkRestartPolicy(after);
  if (
    limits.Memory > 0 &&
    limits.MemorySwap === 0 &&
    before.MemorySwap > 0 &&
    limits.Memory > before.MemorySwap
  )
    throw new InvalidParameter(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  refuseUnsupported(after);
  checkLimits(limitsOf({ hostConfig: after }, host), host);
  return after;
}

/**
 * `--cpus` is a quota and a period by another name: what was set by the one is not changed by the other. Null when
 * nothing is wrong.
 */
function twoCpuLimits(before: HostConfig, wished: Partial<HostConfig>): string | null {
  const names = { NanoCpus: 'Nano CPUs', CpuPeriod: 'CPU Period', CpuQuota: 'CPU Quota' } as const;
  const conflicts = [
    ['NanoCpus', 'CpuPeriod'],
    ['NanoCpus', 'CpuQuota'],
    ['CpuPeriod', 'NanoCpus'],
    ['CpuQuota', 'NanoCpus'],
  ] as const;
  const found = conflicts.find(([wish, set]) => (wished[wish] ?? 0) > 0 && before[set] > 0);
  if (!found) return null;
  const [wish, set] = found;
  return `${names[wish]} cannot be updated as ${set === 'NanoCpus' ? 'NanoCPUs' : names[set]} has already been set`;
}
