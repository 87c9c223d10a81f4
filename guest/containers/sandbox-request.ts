import { InvalidParameter } from '../errors.ts';
import type { SandboxRequest } from '../network/network-manager.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Neighbours } from './dependencies.ts';
import { joinedContainer } from './namespaces.ts';

/**
 * What the network is asked for, by what the user asked for. Throws NotFound or Conflict when the container
 * whose network it shares does not run.
 */
export function sandboxRequest(
  { config, hostConfig, name, id, endpoints }: ContainerRecord,
  {
    neighbours,
    directory,
    linkedHosts = [],
  }: {
    readonly neighbours: Neighbours;
    readonly directory: string;
    readonly linkedHosts?: SandboxRequest['linkedHosts'];
  },
): SandboxRequest {
  const mode = hostConfig.NetworkMode || 'default';
  const reference = joinedContainer(mode);
  if (reference !== null && neighbours.recordOf(reference).id === id)
    throw new InvalidParameter('cannot join own network');
  const joined = reference === null ? null : neighbours.runningPid(reference);
  return {
    containerId: id,
    containerName: name,
    hostname: config.Hostname,
    ...(config.Domainname ? { domainname: config.Domainname } : {}),
    mode: config.NetworkDisabled ? 'none' : mode,
    ...(joined ? { joined: { containerId: joined.id, pid: joined.pid } } : {}),
    endpoints,
    portBindings: hostConfig.PortBindings as Readonly<
      Record<string, readonly { HostIp?: string; HostPort?: string }[] | null>
    >,
    exposedPorts: config.ExposedPorts,
    publishAllPorts: hostConfig.PublishAllPorts,
    dns: {
      servers: hostConfig.Dns ?? [],
      search: hostConfig.DnsSearch ?? [],
      options: hostConfig.DnsOptions ?? [],
    },
    extraHosts: hostConfig.ExtraHosts ?? [],
    linkedHosts,
    directory,
  };
}
