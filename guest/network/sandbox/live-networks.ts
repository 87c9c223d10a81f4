import { Forbidden, Internal } from '../../errors.ts';
import type { EndpointRecord } from '../endpoint.ts';
import { changeOwnFiles, upstreamResolver } from '../files/sandbox-files.ts';
import type { LiveSandboxRequest } from '../network-manager.ts';
import { wishedPorts } from '../ports/wished-ports.ts';
import { describeEndpoint } from './describe-endpoint.ts';
import { endpointOptions } from './endpoint-options.ts';
import type { Gateways } from './gateways.ts';
import { outlookOf, ownHosts, resolverOf } from './outlook.ts';
import { reserveLink } from './reserve-link.ts';
import { publishEndpoints, type SandboxParts } from './sandbox-parts.ts';
import { type Attachment, toAttachment } from './sandbox-plan.ts';

/** Gives a running container a link into a further network; see NetworkManager.connectNetwork. */
export async function connectNetwork(
  request: LiveSandboxRequest,
  networkId: string,
  parts: SandboxParts,
): Promise<void> {
  const { records, addresses, links } = parts;
  const before = records.endpointsOfContainer(request.containerId);
  const attachment = attachmentOf(request, networkId, parts);
  const { network, asked } = attachment;
  if (before.some((endpoint) => endpoint.networkId === networkId)) {
    const name = request.containerName.replace(/^\//, '');
    throw new Forbidden(`endpoint with name ${name} already exists in network ${network.name}`);
  }
  const link = reserveLink(
    addresses,
    attachment,
    before.flatMap((endpoint) => endpoint.link ?? []),
  );
  const position = Math.max(-1, ...before.map((endpoint) => endpoint.position)) + 1;
  const endpoint = describeEndpoint(request, { network, asked, position, link });
  try {
    // Recorded first: whatever happens from here, the next start knows of it.
    records.saveEndpoint(endpoint);
    const outlook = outlookOf([...before, endpoint], records);
    const { sysctls } = endpointOptions(asked.DriverOpts);
    await links.add(namespaceOf(request, parts), { network, link, sysctls }, outlook);
    try {
      await follow(request, [...before, endpoint], { added: [endpoint], removed: [] }, parts);
      await parts.names.introduce(endpoint);
    } catch (error) {
      const outlookBefore = outlookOf(before, records);
      await links.remove(namespaceOf(request, parts), link, outlookBefore).catch(() => {});
      await parts.ports.lead(request.containerId, outlookBefore.gateways);
      throw error;
    }
  } catch (error) {
    records.deleteEndpoint(request.containerId, networkId);
    throw error;
  } finally {
    addresses.settle(network, { 4: link.ipv4, 6: link.ipv6 });
  }
  publishEndpoints(parts, 'connect', [endpoint]);
}

/** Takes a running container's link into a network away; see NetworkManager.disconnectNetwork. */
export async function disconnectNetwork(
  request: LiveSandboxRequest,
  networkId: string,
  parts: SandboxParts,
): Promise<void> {
  const { records, links } = parts;
  const endpoints = records.endpointsOfContainer(request.containerId);
  const leaving = endpoints.find((endpoint) => endpoint.networkId === networkId);
  if (!leaving) {
    const { name } = records.network(networkId);
    throw new Internal(`container ${request.containerId} is not connected to network ${name}`);
  }
  const rest = endpoints.filter((endpoint) => endpoint !== leaving);
  // There is none in the network `none`.
  if (leaving.link) await links.remove(namespaceOf(request, parts), leaving.link, outlookOf(rest, records));
  await parts.names.part(leaving);
  records.deleteEndpoint(request.containerId, networkId);
  publishEndpoints(parts, 'disconnect', [leaving]);
  await follow(request, rest, { added: [], removed: [leaving] }, parts);
}

/** Published ports and files follow a change of networks. */
async function follow(
  request: LiveSandboxRequest,
  endpoints: readonly EndpointRecord[],
  change: { readonly added: readonly EndpointRecord[]; readonly removed: readonly EndpointRecord[] },
  { records, ports, resolverPlace }: SandboxParts,
): Promise<void> {
  const outlook = outlookOf(endpoints, records);
  const leadsOut = outlook.gateways[4] !== null || outlook.gateways[6] !== null;
  if (leadsOut) await publishFirst(request, outlook.gateways, { records, ports });
  else await withdraw(request.containerId, { records, ports });
  await ports.lead(request.containerId, outlook.gateways);
  await changeOwnFiles({
    directory: request.directory,
    added: change.added.flatMap(({ link }) => ownHosts(request, link)),
    removed: change.removed.flatMap(({ link }) => ownHosts(request, link).map(({ address }) => address)),
    resolver: resolverOf(outlook, await upstreamResolver(request.dns), resolverPlace),
  });
}

/** A container that had no way out has one now: it publishes what it was to publish. */
async function publishFirst(
  request: LiveSandboxRequest,
  gateways: Gateways,
  { records, ports }: Pick<SandboxParts, 'records' | 'ports'>,
): Promise<void> {
  const sandbox = records.sandbox(request.containerId);
  if (!sandbox || sandbox.wantedPorts.length > 0) return;
  const wish = wishedPorts(request, gateways, records, ports);
  if (wish.wanted.length === 0) return;
  const held = await ports.hold(request.containerId, wish);
  records.saveSandbox({ ...sandbox, ports: held, wantedPorts: wish.wanted }, []);
}

/**
 * A container that has no way out any more publishes nothing, as with dockerd (moby's `Endpoint.Leave` revokes what the
 * network's driver has programmed): others can have the ports, here and on the host in front.
 */
async function withdraw(
  containerId: string,
  { records, ports }: Pick<SandboxParts, 'records' | 'ports'>,
): Promise<void> {
  const sandbox = records.sandbox(containerId);
  if (!sandbox || (sandbox.ports.length === 0 && sandbox.wantedPorts.length === 0)) return;
  records.saveSandbox({ ...sandbox, ports: [], wantedPorts: [] }, []);
  await ports.release(containerId);
}

function attachmentOf(request: LiveSandboxRequest, networkId: string, { records }: SandboxParts): Attachment {
  const network = records.network(networkId);
  return toAttachment({ network, asked: request.endpoints[network.name] ?? {} });
}

/** Held by this process, or since before it by the container's own. */
function namespaceOf({ containerId, pid }: LiveSandboxRequest, { namespaces }: SandboxParts): string {
  return namespaces.get(containerId)?.path ?? `/proc/${pid}/ns/net`;
}
