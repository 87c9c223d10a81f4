import { dirname, join } from 'node:path';
import { Conflict, Internal } from '../errors.ts';
import type { EventSink } from '../events/event.ts';
import { Addresses } from './addresses.ts';
import { type BridgeNetwork, hasBridge } from './bridge.ts';
import { describeEndpoint } from './describe-endpoint.ts';
import type { EndpointLink, EndpointRecord } from './endpoint.ts';
import { sandboxSettings } from './endpoint-settings.ts';
import { Firewall } from './firewall.ts';
import { parseExtraHosts } from './hosts-file.ts';
import { hasEmbeddedDns, type NetworkRecord } from './network.ts';
import type {
  NetworkManager,
  Sandbox,
  SandboxNamespace,
  SandboxRequest,
  SandboxSettings,
} from './network-manager.ts';
import { joinNamespace, type NetworkNamespace } from './network-namespace.ts';
import { firewallTable, type NetworkOptions } from './network-options.ts';
import type { NetworkRecords } from './network-records.ts';
import { createPortHolder, type HeldPort, type PortHolder } from './port-holder.ts';
import { type PublishedPort, portRequests } from './ports.ts';
import type { ForwardedPort } from './ruleset.ts';
import {
  copyFiles,
  embeddedResolver,
  upstreamResolver,
  writeHostFiles,
  writeOwnFiles,
} from './sandbox-files.ts';
import { outwardPosition, SandboxLinks } from './sandbox-links.ts';
import { type Attachment, planSandbox } from './sandbox-plan.ts';
import { SpareSandboxes } from './spare-sandboxes.ts';

/** What this process holds for one container. */
interface Held {
  namespace: NetworkNamespace | null;
  readonly ports: HeldPort[];
}

/** The sandboxes of running containers: namespaces, links, addresses, published ports, files. */
export class Sandboxes implements NetworkManager {
  readonly #records: NetworkRecords;
  readonly #events: EventSink;
  readonly #addresses: Addresses;
  readonly #firewall: Firewall;
  readonly #links: SandboxLinks;
  readonly #portHolder: PortHolder = createPortHolder();
  readonly #spares: SpareSandboxes;
  readonly #held = new Map<string, Held>();

  constructor(records: NetworkRecords, options: NetworkOptions, events: EventSink) {
    this.#records = records;
    this.#events = events;
    this.#addresses = new Addresses(records);
    this.#firewall = new Firewall(firewallTable(options));
    this.#links = new SandboxLinks(records, this.#firewall);
    this.#spares = new SpareSandboxes({
      count: options.spareSandboxes,
      quietMs: 300,
      make: () => this.#makeSpare(),
    });
  }

  async connectSandbox(request: SandboxRequest): Promise<Sandbox> {
    await this.releaseSandbox(request.containerId);
    const plan = planSandbox(request, (reference) => this.#records.network(reference));
    const held: Held = { namespace: null, ports: [] };
    this.#held.set(request.containerId, held);
    try {
      switch (plan.kind) {
        case 'joined':
          return await this.#join(request, plan, held);
        case 'alone':
          return await this.#alone(request, plan.network);
        case 'bridged':
          return await this.#bridged(request, plan.attachments, held);
      }
    } catch (error) {
      await this.releaseSandbox(request.containerId);
      throw error;
    }
  }

  async releaseSandbox(containerId: string): Promise<void> {
    const endpoints = this.#records.endpointsOfContainer(containerId);
    const held = this.#held.get(containerId);
    this.#held.delete(containerId);
    held?.namespace?.release();
    await this.#firewall.withdraw(endpoints.flatMap(forwardedPorts));
    await Promise.all((held?.ports ?? []).map((port) => port.release()));
    if (endpoints.length === 0) return;
    this.#records.deleteEndpointsOfContainer(containerId);
    this.#publish('disconnect', endpoints);
  }

  inspectSandbox(containerId: string): SandboxSettings | null {
    const endpoints = this.#records.endpointsOfContainer(containerId);
    return endpoints.length > 0 || this.#held.has(containerId) ? sandboxSettings(endpoints) : null;
  }

  async reconcile(live: readonly string[]): Promise<void> {
    const endpoints = this.#records.endpoints();
    const kept = endpoints.filter((endpoint) => live.includes(endpoint.containerId));
    for (const endpoint of endpoints) {
      if (!kept.includes(endpoint)) this.#records.deleteEndpointsOfContainer(endpoint.containerId);
    }
    const used = new Set(kept.map((endpoint) => endpoint.networkId));
    const networks = this.#records.networks().filter(hasBridge);
    await this.#links.restore(networks, used, kept.flatMap(forwardedPorts));
    for (const endpoint of kept) await this.#holdAgain(endpoint);
  }

  /** Makes ready, in a while, what the first container on the default network would wait for. */
  prepareLater(): void {
    this.#spares.refillLater();
  }

  /** Takes down what no container uses. Running containers keep all they have. */
  async close(): Promise<void> {
    await this.#spares.close();
    for (const { ports } of this.#held.values()) await Promise.all(ports.map((port) => port.release()));
    const used = new Set(this.#records.endpoints().map((endpoint) => endpoint.networkId));
    for (const network of this.#records.networks().filter(hasBridge)) {
      if (!used.has(network.id)) await this.#links.remove(network);
    }
    await this.#links.close();
  }

  /** Takes down a network's kernel side; nobody may be connected to it. Idempotent. */
  removeBridge(network: BridgeNetwork): Promise<void> {
    return this.#links.remove(network);
  }

  async #join(
    request: SandboxRequest,
    target: { readonly containerId: string; readonly pid: number },
    held: Held,
  ): Promise<Sandbox> {
    if (Object.values(request.portBindings).some((bindings) => bindings?.length) || request.publishAllPorts) {
      throw new Conflict('conflicting options: port publishing and the container type network mode');
    }
    held.namespace = joinNamespace(target);
    await copyFiles(join(dirname(request.directory), target.containerId), request.directory);
    return { namespace: pathOf(held.namespace), ports: {}, networks: {} };
  }

  async #alone(request: SandboxRequest, network: NetworkRecord): Promise<Sandbox> {
    const extra = parseExtraHosts(request.extraHosts, network.driver === 'host' ? '127.0.0.1' : null);
    const files = { directory: request.directory, extra, dns: request.dns };
    if (network.driver === 'host') await writeHostFiles(files);
    else await writeOwnFiles({ ...files, own: [], resolver: await upstreamResolver(request.dns) });
    const endpoint: EndpointRecord = {
      ...describeEndpoint(request, { network, asked: {} }, 0),
      link: null,
      nameservers: [],
      ports: [],
      exposedPorts: [],
    };
    this.#save([endpoint]);
    return {
      namespace: { kind: network.driver === 'host' ? 'host' : 'new' },
      ...sandboxSettings([endpoint]),
    };
  }

  async #bridged(request: SandboxRequest, attachments: readonly Attachment[], held: Held): Promise<Sandbox> {
    const outward = outwardPosition(attachments);
    const primary = attachments[outward] ?? attachments[0]!;
    const extra = parseExtraHosts(request.extraHosts, primary.network.bridge.gateway);
    const upstream = await upstreamResolver(request.dns);
    const embedded = attachments.some(({ network }) => hasEmbeddedDns(network));
    const requests = primary.network.internal
      ? []
      : portRequests({
          bindings: request.portBindings,
          exposed: request.exposedPorts,
          publishAll: request.publishAllPorts,
          defaultAddress: primary.network.bridge.defaultBindAddress,
        });
    const spare = isPlain(attachments) ? this.#spares.take() : null;
    held.namespace = spare?.namespace ?? null;
    const links = spare ? [spare.link] : this.#reserve(attachments);
    const described = attachments.map((attachment, position) =>
      describeEndpoint(request, attachment, position),
    );
    try {
      for (const port of requests) held.ports.push(await this.#portHolder.hold(port));
      const endpoints = described.map((endpoint, position) => ({
        ...endpoint,
        link: links[position]!,
        nameservers: upstream.servers,
        ports: position === outward ? held.ports.map(({ port }) => port) : [],
        exposedPorts: position === 0 ? request.exposedPorts : [],
      }));
      // Recorded first: whatever happens from here, the next start knows what to take back.
      this.#save(endpoints);
      held.namespace ??= await this.#links.connect(
        attachments.map(({ network }, i) => ({ network, link: links[i]! })),
      );
      await this.#firewall.publish(endpoints.flatMap(forwardedPorts));
      await writeOwnFiles({
        directory: request.directory,
        extra,
        own: links.map((link) => ({ address: link.address, names: ownNames(request) })),
        resolver: embedded ? embeddedResolver(upstream) : upstream,
      });
      return { namespace: pathOf(held.namespace), ...sandboxSettings(endpoints) };
    } catch (error) {
      throw withEndpoint(error, described[0]!, held.ports.length < requests.length);
    } finally {
      attachments.forEach(({ network }, i) => void this.#addresses.settle(network, links[i]!));
    }
  }

  #save(endpoints: readonly EndpointRecord[]): void {
    this.#records.saveEndpoints(endpoints);
    this.#publish('connect', endpoints);
  }

  #publish(action: 'connect' | 'disconnect', endpoints: readonly EndpointRecord[]): void {
    for (const { networkId, networkName, networkDriver, containerId } of endpoints) {
      const attributes = { container: containerId, name: networkName, type: networkDriver };
      this.#events.publish({ type: 'network', action, actor: { id: networkId, attributes } });
    }
  }

  #reserve(attachments: readonly Attachment[]): EndpointLink[] {
    const links: EndpointLink[] = [];
    try {
      for (const { network, asked } of attachments) {
        links.push(
          this.#addresses.reserve(network, {
            address: asked.IPAMConfig?.IPv4Address,
            macAddress: asked.MacAddress,
          }),
        );
      }
      return links;
    } catch (error) {
      links.forEach((link, i) => void this.#addresses.settle(attachments[i]!.network, link));
      throw error;
    }
  }

  async #makeSpare() {
    const network = this.#records.network('bridge');
    if (!hasBridge(network)) throw new Internal('the default network has no bridge');
    const link = this.#addresses.reserve(network);
    try {
      return { link, namespace: await this.#links.connect([{ network, link }]) };
    } catch (error) {
      this.#addresses.settle(network, link);
      throw error;
    }
  }

  async #holdAgain(endpoint: EndpointRecord): Promise<void> {
    const held: Held = { namespace: null, ports: [] };
    this.#held.set(endpoint.containerId, held);
    for (const { hostPort, ...port } of endpoint.ports) {
      // The rules work without it; somebody who took the port meanwhile cannot be turned out.
      const again = await this.#portHolder
        .hold({ ...port, hostPorts: { first: hostPort, last: hostPort } })
        .catch(() => null);
      if (again) held.ports.push(again);
    }
  }
}

/** Nothing asked for that a sandbox made ahead would not have. */
function isPlain(attachments: readonly Attachment[]): boolean {
  const [first, ...others] = attachments;
  return others.length === 0 && first?.network.name === 'bridge' && !first.asked.MacAddress;
}

function forwardedPorts({ link, ports }: EndpointRecord): ForwardedPort[] {
  return link ? ports.map((port: PublishedPort) => ({ ...port, containerAddress: link.address })) : [];
}

function ownNames({ hostname, domainname }: SandboxRequest): string[] {
  return domainname ? [`${hostname}.${domainname}`, hostname] : [hostname];
}

function pathOf(namespace: NetworkNamespace): SandboxNamespace {
  return { kind: 'path', path: namespace.path };
}

/** dockerd's sentence round what went wrong with a port. */
function withEndpoint(
  error: unknown,
  endpoint: { containerName: string; endpointId: string },
  port: boolean,
): unknown {
  if (!port || !(error instanceof Error)) return error;
  const name = endpoint.containerName.replace(/^\//, '');
  return new Internal(
    `driver failed programming external connectivity on endpoint ${name} (${endpoint.endpointId}): ${error.message}`,
    { cause: error },
  );
}
