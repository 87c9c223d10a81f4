import { Internal, InvalidParameter, NotFound } from '../errors.ts';
import type { HostsEntry } from '../network/files/hosts-file.ts';
import { replaceHost } from '../network/files/sandbox-files.ts';
import type { NetworkManager } from '../network/network-manager.ts';
import { parsePort } from '../network/ports/ports.ts';
import { type ContainerLink, parseLink } from '../network/sandbox/container-link.ts';
import type { HostConfig } from '../schema/container.ts';
import type { EnginePaths } from '../store/paths.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Neighbours } from './dependencies.ts';
import { joinedContainer } from './namespaces.ts';
import { isLive } from './state.ts';

/** What links of the default network come to when a container starts. */
export interface LinkedContainers {
  readonly hosts: readonly HostsEntry[];
  readonly env: readonly string[];
}

/**
 * Links of the default network; on others, they are settings of the container's endpoint, and names that the
 * name server knows.
 */
export function legacyLinks({ NetworkMode, Links }: HostConfig): ContainerLink[] {
  return ['', 'default', 'bridge'].includes(NetworkMode) ? (Links ?? []).map(parseLink) : [];
}

/** At create: throws InvalidParameter for a link that is none, or to nobody. */
export function checkLinks(hostConfig: HostConfig, neighbours: Neighbours): void {
  for (const { target } of legacyLinks(hostConfig)) {
    const { hostConfig: theirs } = networkOwner(target, neighbours);
    if (theirs.NetworkMode === 'host')
      throw new InvalidParameter(
        "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
      );
  }
}

/** At start. Throws Internal, as dockerd does, when a linked container does not run. */
export function linkedContainers(
  { name, hostConfig }: ContainerRecord,
  { neighbours, networks }: { readonly neighbours: Neighbours; readonly networks: NetworkManager },
): LinkedContainers {
  const hosts: HostsEntry[] = [];
  const env: string[] = [];
  for (const { target, alias } of legacyLinks(hostConfig)) {
    const child = networkOwner(target, neighbours);
    if (!isLive(child.state))
      throw new Internal(`Cannot link to a non running container: /${child.name} AS /${name}/${alias}`);
    const address = networks.inspectSandbox(child.id)?.networks.bridge?.IPAddress;
    if (!address)
      throw new Internal(`cannot link to a container outside the default network: /${child.name}`);
    hosts.push({ address, names: [...new Set([alias, child.config.Hostname, child.name])] });
    env.push(...variables({ name, alias, address, child }));
  }
  return { hosts, env };
}

/** A container has started, perhaps with another address: those that link to it learn of it. */
export async function tellLinking(
  child: ContainerRecord,
  {
    neighbours,
    networks,
    paths,
  }: { readonly neighbours: Neighbours; readonly networks: NetworkManager; readonly paths: EnginePaths },
): Promise<void> {
  const address = networks.inspectSandbox(child.id)?.networks.bridge?.IPAddress;
  if (!address) return;
  for (const { id, hostConfig } of neighbours.liveRecords()) {
    for (const { target, alias } of legacyLinks(hostConfig)) {
      if (target !== child.name && !child.id.startsWith(target)) continue;
      const names = [...new Set([alias, child.config.Hostname, child.name])];
      await replaceHost(paths.container(id), { address, names });
    }
  }
}

/** The same settings without the link of that name; throws NotFound when there is none. */
export function withoutLink({ name, hostConfig }: ContainerRecord, alias: string): HostConfig {
  const links = hostConfig.Links ?? [];
  const left = links.filter((link) => parseLink(link).alias !== alias);
  if (left.length === links.length) throw new NotFound(`No such container: ${name}/${alias}`);
  return { ...hostConfig, Links: left };
}

/** As Docker names them: DB_PORT_5432_TCP_ADDR and so on, and the linked container's own variables. */
function variables(of: {
  readonly name: string;
  readonly alias: string;
  readonly address: string;
  readonly child: ContainerRecord;
}): string[] {
  const prefix = of.alias.toUpperCase().replaceAll('-', '_');
  const ports = of.child.config.ExposedPorts.map(parsePort).sort(
    (a, b) => a.containerPort - b.containerPort || (a.protocol === 'tcp' ? -1 : 1),
  );
  const url = (port: (typeof ports)[number]) => `${port.protocol}://${of.address}:${port.containerPort}`;
  const inherited = (of.child.config.Env ?? []).filter((line) => !/^(HOME|PATH)=/.test(line));
  return [
    ...(ports[0] ? [`${prefix}_PORT=${url(ports[0])}`] : []),
    ...ports.flatMap((port) => {
      const own = `${prefix}_PORT_${port.containerPort}_${port.protocol.toUpperCase()}`;
      return [
        `${own}=${url(port)}`,
        `${own}_ADDR=${of.address}`,
        `${own}_PORT=${port.containerPort}`,
        `${own}_PROTO=${port.protocol}`,
      ];
    }),
    `${prefix}_NAME=/${of.name}/${of.alias}`,
    ...inherited.map((line) => `${prefix}_ENV_${line}`),
  ];
}

/** The linked container, or the one whose network that shares. Throws InvalidParameter for those that share in a circle. */
function networkOwner(target: string, neighbours: Neighbours): ContainerRecord {
  const seen = new Set<string>();
  for (let record = recordOf(target, neighbours); ; ) {
    const joined = joinedContainer(record.hostConfig.NetworkMode);
    if (joined === null) return record;
    if (seen.has(record.id))
      throw new InvalidParameter(`cannot link to ${target}: its network is its own by way of others`);
    seen.add(record.id);
    record = recordOf(joined, neighbours);
  }
}

function recordOf(target: string, neighbours: Neighbours): ContainerRecord {
  try {
    return neighbours.recordOf(target);
  } catch (error) {
    // A client would take "not found" for the image's.
    if (error instanceof NotFound)
      throw new InvalidParameter(`could not get container for ${target}: ${error.message}`);
    throw error;
  }
}
