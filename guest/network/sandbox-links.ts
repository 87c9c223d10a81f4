import { run } from '../host/exec.ts';
import { programPath } from '../host/program-path.ts';
import { type BridgeNetwork, Bridges, filtered, linkExists } from './bridge.ts';
import { dnsRedirect } from './dns/dns-redirect.ts';
import { DnsServers } from './dns/dns-server.ts';
import type { EndpointLink } from './endpoint.ts';
import type { Firewall } from './firewall.ts';
import { loopbackUp, pairAddressing, pairCreation } from './links.ts';
import { hasEmbeddedDns, type NetworkRecord } from './network.ts';
import { makeNamespace, type NetworkNamespace } from './network-namespace.ts';
import type { NetworkRecords } from './network-records.ts';
import type { ForwardedPort } from './ruleset.ts';

interface LinkEnd {
  readonly network: BridgeNetwork;
  readonly link: EndpointLink;
}

/** The kernel's side of bridge networks and of the sandboxes in them, with their name servers. */
export class SandboxLinks {
  readonly #firewall: Firewall;
  readonly #bridges: Bridges;
  readonly #dns: DnsServers;
  #firstConnect: Promise<unknown> | null = null;

  constructor(records: NetworkRecords, firewall: Firewall) {
    this.#firewall = firewall;
    this.#bridges = new Bridges(firewall);
    this.#dns = new DnsServers(records);
  }

  /** A namespace with a link into each network: eth0, eth1… */
  async connect(ends: readonly LinkEnd[]): Promise<NetworkNamespace> {
    // The first pair makes the kernel load its veth module; who asks for another before that module is ready
    // gets "Unknown device type", since busybox modprobe takes a module that is loading for loaded.
    if (this.#firstConnect) {
      await this.#firstConnect;
      return this.#connect(ends);
    }
    const first = this.#connect(ends);
    this.#firstConnect = first.catch(() => {});
    return first;
  }

  async #connect(ends: readonly LinkEnd[]): Promise<NetworkNamespace> {
    for (const { network } of ends) {
      await this.#bridges.ensure(network);
      if (hasEmbeddedDns(network)) await this.#dns.ensure(network);
    }
    const outward = outwardPosition(ends);
    const resolving = ends.find(({ network }) => hasEmbeddedDns(network));
    const rules = resolving ? dnsRedirect(resolving.network.bridge.gateway) : null;
    const furnish = async (path: string) => {
      const pairs = ends.map(({ network, link }, position) =>
        pairCreation({ link, bridge: network.bridge, position, path }),
      );
      await run(programPath('ip'), ['-batch', '-'], { input: pairs.join('') });
      const inside = ends.map(({ link }, position) =>
        pairAddressing({ link, position, defaultRoute: position === outward }),
      );
      return loopbackUp + inside.join('');
    };
    return makeNamespace(furnish, { rules });
  }

  /**
   * At start: rules for what is there, servers for networks in use. After a reboot there is no bridge, and
   * nothing to do.
   */
  async restore(
    networks: readonly BridgeNetwork[],
    used: ReadonlySet<string>,
    ports: readonly ForwardedPort[],
  ): Promise<void> {
    const there = await Promise.all(networks.map(({ bridge }) => linkExists(bridge.linkName)));
    await this.#firewall.restore(networks.filter((_, i) => there[i]).map(filtered), ports);
    for (const network of networks) {
      if (used.has(network.id) && hasEmbeddedDns(network)) await this.#dns.ensure(network);
    }
  }

  /** Takes a network down; nobody may be connected to it. Idempotent. */
  async remove(network: BridgeNetwork): Promise<void> {
    await this.#dns.remove(network.id);
    await this.#bridges.remove(network);
  }

  /** Stops the servers, and the table's when nothing is left in it. */
  async close(): Promise<void> {
    await this.#dns.close();
    await this.#firewall.close();
  }
}

/** The endpoint that carries the default route and the published ports; -1 when all networks are closed. */
export function outwardPosition(ends: readonly { readonly network: NetworkRecord }[]): number {
  return ends.findIndex(({ network }) => !network.internal);
}
