import { InvalidParameter } from '../errors.ts';
import type { HostSystem } from '../host/system.ts';
import { boundingSet, containerCapabilities } from '../runtime/spec/capabilities.ts';
import { parseDeviceRule } from '../runtime/spec/devices.ts';
import { findInit } from '../runtime/spec/init-program.ts';
import { checkLimits } from '../runtime/spec/resources.ts';
import { checkSysctls } from '../runtime/spec/sysctls.ts';
import { checkUlimits } from '../runtime/spec/ulimits.ts';
import type { ContainerConfig, HostConfig } from '../schema/container.ts';
import { limitsOf, ulimitsOf } from './container-wish.ts';
import { checkNamespaceModes } from './namespaces.ts';
import { checkRestartPolicy } from './restart-policy.ts';
import { parseSecurityOptions } from './security-options.ts';
import { parseSignal } from './signals.ts';
import { refuseUnsupported } from './unsupported.ts';

const maxHostname = 64;

/**
 * Everything that can be known of a request before anything is made. Returns what the client is to be warned
 * of; throws InvalidParameter or NotImplemented for what makes no sense or cannot be honoured.
 */
export function checkRequest(config: ContainerConfig, host: HostConfig, system: HostSystem): string[] {
  refuseUnsupported(host);
  checkNames(config);
  checkNamespaceModes(config, host);
  checkRestartPolicy(host);
  checkLimits(limitsOf({ hostConfig: host }, system), system);
  checkUlimits(ulimitsOf(host));
  checkSysctls(host.Sysctls, {
    network: host.NetworkMode === 'host',
    ipc: host.IpcMode === 'host',
    uts: host.UTSMode === 'host',
  });
  containerCapabilities(
    { add: host.CapAdd ?? [], drop: host.CapDrop ?? [], privileged: host.Privileged },
    boundingSet(),
  );
  for (const rule of host.DeviceCgroupRules ?? []) parseDeviceRule(rule);
  if (host.ShmSize < 0) throw new InvalidParameter('SHM size can not be less than 0');
  if (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000)
    throw new InvalidParameter(`Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  if ('' in host.Annotations)
    throw new InvalidParameter('invalid Annotations: the empty string is not permitted as an annotation key');
  if (host.Init) findInit();
  const { warnings } = parseSecurityOptions(host.SecurityOpt ?? []);
  return [...warnings, ...warningsOf(host, system)];
}

function checkNames(config: ContainerConfig): void {
  if (config.ArgsEscaped)
    throw new InvalidParameter('ArgsEscaped is for Windows; send the command as a list of words');
  if (config.StopSignal) parseSignal(config.StopSignal);
  if (config.Hostname.length > maxHostname)
    throw new InvalidParameter(`hostname "${config.Hostname}" is too long (maximum ${maxHostname} bytes)`);
  const nameless = config.Env?.find((entry) => entry === '' || entry.startsWith('='));
  if (nameless !== undefined) throw new InvalidParameter(`invalid environment variable: ${nameless}`);
}

/** What dockerd discards with these words, too. */
function warningsOf(host: HostConfig, { cgroupVersion }: HostSystem): string[] {
  const unified = cgroupVersion === '2';
  const swappiness = host.MemorySwappiness != null && host.MemorySwappiness !== -1;
  return [
    ...(unified && swappiness
      ? [
          'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
        ]
      : []),
    ...(unified && host.OomKillDisable
      ? ['Your kernel does not support OomKillDisable. OomKillDisable discarded.']
      : []),
    ...(!unified && host.OomKillDisable && host.Memory === 0
      ? [
          'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
        ]
      : []),
    ...(host.NetworkMode === 'host' && Object.keys(host.PortBindings).length > 0
      ? ['Published ports are discarded when using host network mode']
      : []),
  ];
}
