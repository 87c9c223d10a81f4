import { dirname, join } from 'node:path';
import { Conflict, Internal } from '../../errors.ts';
import type { EndpointLink, EndpointRecord, SandboxRecord } from '../endpoint.ts';
import { hostEntries } from '../files/host-names.ts';
import { parseExtraHosts } from '../files/hosts-file.ts';
import { copyFiles, upstreamResolver, writeHostFiles, writeOwnFiles } from '../files/sandbox-files.ts';
import { joinNamespace, type NetworkNamespace } from '../links/network-namespace.ts';
import type { NetworkRecord } from '../network.ts';
import type { Sandbox, SandboxNamespace, SandboxRequest } from '../network-manager.ts';
import { wishedPorts } from '../ports/wished-ports.ts';
import { describeEndpoint } from './describe-endpoint.ts';
import { endpointOptions } from './endpoint-options.ts';
import { sandboxSettings } from './endpoint-settings.ts';
import { type Outlook, outlookOf, ownHosts, resolverOf } from './outlook.ts';
import { reserveLink } from './reserve-link.ts';
import { publishEndpoints, type SandboxParts } from './sandbox-parts.ts';
import type { Attachment } from './sandbox-plan.ts';

/** Shares another container's namespace and files. */
export async function joinSandbox(
  request: SandboxRequest,
  target: NonNullable<SandboxRequest['joined']>,
  parts: SandboxParts,
): Promise<Sandbox> {
  if (Object.values(request.portBindings).some((bindings) => bindings?.length) || request.publishAllPorts) {
    throw new Conflict('conflicting options: port publishing and the container type network mode');
  }
  const namespace = joinNamespace(target);
  parts.namespaces.set(request.containerId, namespace);
  await copyFiles(
    target.directory ?? join(dirname(request.directory), target.containerId),
    request.directory,
  );
  return { namespace: pathOf(namespace), ports: {}, networks: {} };
}

/** In `none` or `host`: files only. */
export async function lonelySandbox(
  request: SandboxRequest,
  network: NetworkRecord,
  parts: SandboxParts,
): Promise<Sandbox> {
  const isHost = network.driver === 'host';
  const asked = parseExtraHosts(request.extraHosts, isHost ? (parts.hostAddress ?? '127.0.0.1') : null);
  const extra = [...asked, ...hostEntries(isHost ? parts.hostAddress : null, asked)];
  const files = { directory: request.directory, extra, dns: request.dns };
  if (network.driver === 'host') await writeHostFiles(files);
  else await writeOwnFiles({ ...files, own: [], resolver: await upstreamResolver(request.dns) });
  const endpoint = describeEndpoint(request, { network, asked: {}, position: 0, link: null });
  const { containerId, directory } = request;
  const sandbox = { containerId, directory, ports: [], wantedPorts: [], exposedPorts: [], nameservers: [] };
  save(parts, sandbox, [endpoint]);
  return {
    namespace: { kind: network.driver === 'host' ? 'host' : 'new' },
    ...sandboxSettings(sandbox, [endpoint]),
  };
}

/** With links into networks, and ports published. */
export async function linkedSandbox(
  request: SandboxRequest,
  attachments: readonly Attachment[],
  parts: SandboxParts,
): Promise<Sandbox> {
  const { containerId, directory } = request;
  const upstream = await upstreamResolver(request.dns);
  const spare = isPlain(attachments) ? parts.spares.take() : null;
  if (spare) parts.namespaces.set(containerId, spare.namespace);
  const links = spare ? [spare.link] : reserveLinks(parts, attachments);
  try {
    const endpoints = attachments.map(({ network, asked }, position) =>
      describeEndpoint(request, { network, asked, position, link: links[position]! }),
    );
    const outlook = outlookOf(endpoints, parts.records);
    const ports = wishedPorts(request, outlook.gateways, parts.records, parts.ports);
    const sandbox: SandboxRecord = {
      containerId,
      directory,
      ports: await parts.ports.hold(containerId, ports).catch((cause: unknown) => {
        throw withEndpoint(cause, endpoints[0]!);
      }),
      wantedPorts: ports.wanted,
      exposedPorts: request.exposedPorts,
      nameservers: upstream.servers,
    };
    // Recorded first: whatever happens from here, the next start knows what to take back.
    save(parts, sandbox, endpoints);
    // A host in front is the user's computer; else it is this one, at the gateway.
    const host = parts.hostAddress ?? hostGateway(outlook, attachments);
    const asked = [...request.linkedHosts, ...parseExtraHosts(request.extraHosts, host)];
    const hosts = [...asked, ...hostEntries(outlook.gateways[4] ? parts.hostAddress : null, asked)];
    const connecting = spare
      ? Promise.resolve(spare.namespace)
      : connect(attachments, links, outlook, parts).then((made) => {
          parts.namespaces.set(containerId, made);
          return made;
        });
    const [namespace] = await allOf([
      connecting,
      parts.ports.lead(containerId, outlook.gateways),
      writeOwnFiles({
        directory,
        extra: hosts,
        own: links.flatMap((link) => ownHosts(request, link)),
        resolver: resolverOf(outlook, upstream, parts.resolverPlace),
      }),
    ]);
    for (const endpoint of endpoints) await parts.names.introduce(endpoint);
    return { namespace: pathOf(namespace), ...sandboxSettings(sandbox, endpoints) };
  } finally {
    settle(parts, attachments, links);
  }
}

/** At once; when one fails, the others have come to their end before it is told. */
async function allOf<T extends readonly Promise<unknown>[]>(work: readonly [...T]) {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** A namespace as the default network's containers have it. */
export async function makeSpare(parts: Omit<SandboxParts, 'spares'>) {
  const network = parts.records.network('bridge');
  const { bridge } = network;
  if (!bridge) throw new Internal('the default network has no bridge');
  const attachment: Attachment = { network: { ...network, bridge }, asked: {} };
  const link = reserveLink(parts.addresses, attachment, []);
  try {
    const stranger = { containerId: '', containerName: '', hostname: '' };
    const endpoint = describeEndpoint(stranger, { network, asked: {}, position: 0, link });
    const outlook = outlookOf([endpoint], parts.records);
    return { link, namespace: await connect([attachment], [link], outlook, parts) };
  } catch (error) {
    settle(parts, [attachment], [link]);
    throw error;
  }
}

function connect(
  attachments: readonly Attachment[],
  links: readonly EndpointLink[],
  outlook: Outlook,
  parts: Pick<SandboxParts, 'links'>,
): Promise<NetworkNamespace> {
  const ends = attachments.map(({ network, asked }, i) => ({
    network,
    link: links[i]!,
    sysctls: endpointOptions(asked.DriverOpts).sysctls,
  }));
  return parts.links.connect(ends, outlook);
}

function reserveLinks(parts: SandboxParts, attachments: readonly Attachment[]): EndpointLink[] {
  const links: EndpointLink[] = [];
  try {
    for (const attachment of attachments) links.push(reserveLink(parts.addresses, attachment, links));
    return links;
  } catch (error) {
    settle(parts, attachments, links);
    throw error;
  }
}

function settle(
  { addresses }: Pick<SandboxParts, 'addresses'>,
  attachments: readonly Attachment[],
  links: readonly EndpointLink[],
): void {
  links.forEach(({ ipv4, ipv6 }, i) => {
    addresses.settle(attachments[i]!.network, { 4: ipv4, 6: ipv6 });
  });
}

function save(parts: SandboxParts, sandbox: SandboxRecord, endpoints: readonly EndpointRecord[]): void {
  parts.records.saveSandbox(sandbox, endpoints);
  publishEndpoints(parts, 'connect', endpoints);
}

/** Nothing asked for that a sandbox made ahead would not have. */
function isPlain(attachments: readonly Attachment[]): boolean {
  const [first, ...others] = attachments;
  return (
    others.length === 0 &&
    first?.network.name === 'bridge' &&
    !first.asked.MacAddress &&
    Object.keys(first.asked.DriverOpts ?? {}).length === 0
  );
}

/** The host's address in a network of the container's, preferably the one that leads out. */
function hostGateway({ gateways }: Outlook, attachments: readonly Attachment[]): string | null {
  const { network } = attachments[0]!;
  return (
    gateways[4]?.link?.ipv4?.gateway ??
    gateways[6]?.link?.ipv6?.gateway ??
    (network.ipv4 ?? network.ipv6)?.gateway ??
    null
  );
}

function pathOf(namespace: NetworkNamespace): SandboxNamespace {
  return { kind: 'path', path: namespace.path };
}

/** dockerd's sentence round what went wrong with a port. */
function withEndpoint(error: unknown, { containerName, endpointId }: EndpointRecord): unknown {
  if (!(error instanceof Error)) return error;
  const name = containerName.replace(/^\//, '');
  return new Internal(
    `driver failed programming external connectivity on endpoint ${name} (${endpointId}): ${error.message}`,
    { cause: error },
  );
}
