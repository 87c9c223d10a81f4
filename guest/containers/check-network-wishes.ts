import { InvalidParameter } from '../errors.ts';
import { parseExtraHosts } from '../network/files/hosts-file.ts';
import type { ContainerConfig, HostConfig } from '../schema/container.ts';
import { joinedContainer } from './namespaces.ts';

/**
 * What a request says of its network, as far as that can be known without any network: known before the
 * container is recorded, not when it starts. `config` is the client's own, without the image's. Throws
 * InvalidParameter, in dockerd's words.
 */
export function checkNetworkWishes(config: ContainerConfig, host: HostConfig): void {
  parseExtraHosts(host.ExtraHosts ?? [], '127.0.0.1');
  for (const [port, bindings] of Object.entries(host.PortBindings)) {
    checkPorts(port.replace(/\/\w+$/, ''));
    for (const { HostPort = '' } of bindings ?? []) if (HostPort !== '') checkPorts(HostPort);
  }
  if (/^container(:|$)/.test(host.NetworkMode) && !joinedContainer(host.NetworkMode))
    throw new InvalidParameter('Invalid network mode: invalid container format container:<name|id>');
  if (joinedContainer(host.NetworkMode) !== null) refuseOfJoined(config, host);
  if (host.NetworkMode === 'host' && host.Links?.length)
    throw new InvalidParameter(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
}

/** One, or a range such as `8000-8010`. */
function checkPorts(text: string): void {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === undefined || Number(last) > 65_535 || Number(first) > Number(last))
    throw new InvalidParameter(`invalid port specification: "${text}"`);
}

/** The other container's network is as it is. */
function refuseOfJoined(config: ContainerConfig, host: HostConfig): void {
  const wishes: readonly (readonly [string, boolean])[] = [
    ['hostname and the network mode', config.Hostname !== ''],
    [
      "container type network can't be used with links. This would result in undefined behavior",
      !!host.Links?.length,
    ],
    ['dns and the network mode', !!host.Dns?.length],
    ['custom host-to-IP mapping and the network mode', !!host.ExtraHosts?.length],
    [
      'port publishing and the container type network mode',
      host.PublishAllPorts || Object.keys(host.PortBindings).length > 0,
    ],
    ['port exposing and the container type network mode', config.ExposedPorts.length > 0],
  ];
  const conflict = wishes.find(([, wanted]) => wanted);
  if (conflict) throw new InvalidParameter(`conflicting options: ${conflict[0]}`);
}
