import type { EventSink } from '../../events/event.ts';
import { Addresses } from '../addressing/addresses.ts';
import type { MachineResolver } from '../dns/machine-resolver.ts';
import type { EndpointRecord } from '../endpoint.ts';
import { Firewall } from '../firewall/firewall.ts';
import type { FirewallPort, ForwardingWay } from '../firewall/ruleset.ts';
import { hasBridge, hasLinks, type LinkedNetwork, type NetworkRecord } from '../network.ts';
import type {
  LiveSandboxRequest,
  NetworkManager,
  Sandbox,
  SandboxRequest,
  SandboxSettings,
} from '../network-manager.ts';
import { firewallTable, type NetworkOptions } from '../network-options.ts';
import type { NetworkRecords } from '../network-records.ts';
import { PublishedPorts } from '../ports/published-ports.ts';
import { withNames } from './describe-endpoint.ts';
import { sandboxSettings } from './endpoint-settings.ts';
import { chooseGateways } from './gateways.ts';
import { connectNetwork, disconnectNetwork } from './live-networks.ts';
import { joinSandbox, linkedSandbox, lonelySandbox, makeSpare } from './new-sandbox.ts';
import { ParentNames } from './parent-names.ts';
import { SandboxLinks } from './sandbox-links.ts';
import { publishEndpoints, type SandboxParts } from './sandbox-parts.ts';
import { planSandbox } from './sandbox-plan.ts';
import { SpareSandboxes } from './spare-sandboxes.ts';

/** The sandboxes of running containers: namespaces, links, addresses, published ports, files. */
export class Sandboxes implements NetworkManager {
  readonly ports: PublishedPorts;
  readonly #records: NetworkRecords;
  readonly #parts: SandboxParts;

  constructor(
    records: NetworkRecords,
    options: NetworkOptions & {
      readonly through: ForwardingWay | null;
      readonly resolver: MachineResolver | null;
    },
    events: EventSink,
  ) {
    const { through, resolver } = options;
    const host = through?.address ?? null;
    const firewall = new Firewall({ table: firewallTable(options), through });
    this.#records = records;
    this.ports = new PublishedPorts(firewall, { forwarded: through !== null });
    const parts = {
      records,
      addresses: new Addresses(records),
      links: new SandboxLinks(records, firewall, { host, resolver }),
      ports: this.ports,
      hostAddress: host,
      resolverPlace: options.resolverPlace,
      namespaces: new Map(),
      names: new ParentNames(records),
      events,
    };
    const spares = { count: options.spareSandboxes, quietMs: 300, make: () => makeSpare(parts) };
    this.#parts = { ...parts, spares: new SpareSandboxes(spares) };
  }

  async connectSandbox(request: SandboxRequest): Promise<Sandbox> {
    await this.releaseSandbox(request.containerId);
    const plan = planSandbox(request, this.findNetwork);
    try {
      switch (plan.kind) {
        case 'joined':
          return await joinSandbox(request, plan, this.#parts);
        case 'alone':
          return await lonelySandbox(request, plan.network, this.#parts);
        case 'linked':
          return await linkedSandbox(request, plan.attachments, this.#parts);
      }
    } catch (error) {
      await this.releaseSandbox(request.containerId);
      throw error;
    }
  }

  async releaseSandbox(containerId: string): Promise<void> {
    const { namespaces, ports } = this.#parts;
    namespaces.get(containerId)?.release();
    namespaces.delete(containerId);
    await ports.release(containerId);
    const endpoints = this.#records.endpointsOfContainer(containerId);
    if (!this.#records.sandbox(containerId)) return;
    for (const endpoint of endpoints) await this.#parts.names.part(endpoint);
    this.#records.deleteSandbox(containerId);
    publishEndpoints(this.#parts, 'disconnect', endpoints);
  }

  checkRequest(request: Pick<SandboxRequest, 'mode' | 'endpoints'>): void {
    planSandbox(request, this.findNetwork);
  }

  connectNetwork(request: LiveSandboxRequest, networkId: string): Promise<void> {
    return connectNetwork(request, networkId, this.#parts);
  }

  disconnectNetwork(request: LiveSandboxRequest, networkId: string): Promise<void> {
    return disconnectNetwork(request, networkId, this.#parts);
  }

  renameContainer(containerId: string, name: string): void {
    for (const endpoint of this.#records.endpointsOfContainer(containerId)) {
      this.#records.saveEndpoint(withNames(endpoint, name));
    }
  }

  readonly findNetwork = (reference: string): NetworkRecord => this.#records.network(reference);

  inspectSandbox(containerId: string): SandboxSettings | null {
    const sandbox = this.#records.sandbox(containerId);
    if (!sandbox && !this.#parts.namespaces.has(containerId)) return null;
    return sandboxSettings(sandbox, this.#records.endpointsOfContainer(containerId));
  }

  async reconcile(live: readonly string[]): Promise<void> {
    const rules: FirewallPort[] = [];
    const used = new Set<string>();
    for (const sandbox of this.#records.sandboxes()) {
      if (!live.includes(sandbox.containerId)) {
        this.#records.deleteSandbox(sandbox.containerId);
        continue;
      }
      const endpoints = this.#records.endpointsOfContainer(sandbox.containerId);
      for (const { networkId } of endpoints) used.add(networkId);
      rules.push(...(await this.ports.restore(sandbox, chooseGateways(endpoints))));
    }
    await this.#parts.links.restore(this.#records.networks().filter(hasBridge), used, rules);
  }

  /** Makes ready, in a while, what the first container on the default network would wait for. */
  prepareLater(): void {
    this.#parts.spares.refillLater();
  }

  /** Takes down what no container uses. Running containers keep all they have. */
  async close(): Promise<void> {
    const { spares, links } = this.#parts;
    await spares.close();
    await this.ports.close();
    const used = new Set(this.#records.endpoints().map(({ networkId }: EndpointRecord) => networkId));
    for (const network of this.#records.networks().filter(hasLinks)) {
      if (!used.has(network.id)) await links.takeDown(network);
    }
    await links.close();
  }

  /** Takes down a network's kernel side; nobody may be connected to it. Idempotent. */
  takeDown(network: LinkedNetwork): Promise<void> {
    return this.#parts.links.takeDown(network);
  }
}
