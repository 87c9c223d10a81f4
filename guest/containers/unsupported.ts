import { InvalidParameter, NotImplemented } from '../errors.ts';
import type { HostConfig } from '../schema/container.ts';

/**
 * Nothing that a client asks for is ignored in silence: what this engine cannot honour is refused by name.
 * Throws NotImplemented or InvalidParameter.
 */
export function refuseUnsupported(host: HostConfig): void {
  const asked: readonly (readonly [string, boolean])[] = [
    ['--storage-opt', Object.keys(host.StorageOpt).length > 0],
    ['Cgroup', host.Cgroup !== ''],
    ['KernelMemoryTCP', host.KernelMemoryTCP !== 0],
  ];
  const refused = asked.filter(([, wanted]) => wanted).map(([name]) => name);
  if (refused.length > 0) throw new NotImplemented(`not supported by this engine: ${refused.join(', ')}`);
  if (host.Runtime !== '' && host.Runtime !== 'crun')
    throw new InvalidParameter(`unknown or invalid runtime name: ${host.Runtime}`);
  if (!['', 'default'].includes(host.Isolation))
    throw new InvalidParameter(
      `Invalid isolation: ${JSON.stringify(host.Isolation)} - linux only supports 'default'`,
    );
  if (host.CpuRealtimePeriod !== 0 || host.CpuRealtimeRuntime !== 0)
    throw new InvalidParameter('kernel does not support CPU real-time scheduler');
  if (host.IOMaximumBandwidth !== 0 || host.IOMaximumIOps !== 0)
    throw new InvalidParameter(
      'Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps',
    );
  if (host.CpuCount !== 0 || host.CpuPercent !== 0)
    throw new InvalidParameter('CpuCount and CpuPercent are for Windows; use --cpus');
  for (const { Driver, Capabilities, DeviceIDs } of host.DeviceRequests ?? []) {
    if (Driver === 'cdi')
      throw new InvalidParameter(
        `CDI devices are not supported by this engine: ${(DeviceIDs ?? []).join(', ')}; use --device /dev/...`,
      );
    const words = (Capabilities ?? []).map((all) => `[${all.join(' ')}]`).join(' ');
    throw new InvalidParameter(
      `could not select device driver "${Driver}" with capabilities: [${words}]; this engine has none`,
    );
  }
}
