import type { HostConfig, UpdateBody } from '../api/schema/container.ts';
import { Conflict, InvalidParameter, NotImplemented } from '../errors.ts';
import type { HostSystem } from '../host/system.ts';
import { checkLimits } from '../runtime/spec/resources.ts';
import type { ContainerRecord } from './container-record.ts';
import { limitsOf } from './container-wish.ts';
import { checkRestartPolicy } from './restart-policy.ts';
import { refuseUnsupported } from './unsupported.ts';

/**
 * What `docker update` makes of a container's settings. Throws dockerd's errors, as for limits that
 * contradict those that were set before.
 */
export function updatedHostConfig(
  { hostConfig: before }: Pick<ContainerRecord, 'hostConfig'>,
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
    ...(limits.PidsLimit == null ? {} : { PidsLimit: limits.PidsLimit }),
    ...(policy?.Name ? { RestartPolicy: policy } : {}),
  };
  if (before.AutoRemove && policy?.Name && policy.Name !== 'no') {
    throw new Conflict('Restart policy cannot be updated because AutoRemove is enabled for the container');
  }
  if (limits.CgroupParent && limits.CgroupParent !== before.CgroupParent)
    throw new NotImplemented('the parent group of a container cannot be changed; make a new one');
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
