import { run } from '../../host/exec.ts';
import { programPath } from '../../host/program-path.ts';
import { dnsRedirect } from '../dns/dns-redirect.ts';
import { DnsServers, serverAddress } from '../dns/dns-server.ts';
import type { EndpointLink, EndpointRecord } from '../endpoint.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { FirewallPort } from '../firewall/ruleset.ts';
import { Bridges, filtered, linkExists } from '../links/bridge.ts';
import {
  defaultRoute,
  linkAddressing,
  linkRemoval,
  loopbackUp,
  pairCreation,
} from '../links/link-scripts.ts';
import {
  type Furnishing,
  furnishNamespace,
  makeNamespace,
  type NetworkNamespace,
} from '../links/network-namespace.ts';
import { type BridgeNetwork, hasEmbeddedDns } from '../network.ts';
import type { NetworkRecords } from '../network-records.ts';
import type { EndpointOptions } from './endpoint-options.ts';
import type { Outlook } from './outlook.ts';

export interface LinkEnd {
  readonly network: BridgeNetwork;
  readonly link: EndpointLink;
  /** As {@link EndpointOptions} has them. */
  readonly sysctls: EndpointOptions['sysctls'];
}

/** The kernel's side of networks and of the sandboxes in them, with their name servers. */
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

  /** A namespace with a link into each network. */
  async connect(ends: readonly LinkEnd[], outlook: Outlook): Promise<NetworkNamespace> {
    // The first pair makes the kernel load its veth module; who asks for another before that module is ready
    // gets "Unknown device type", since busybox modprobe takes a module that is loading for loaded.
    if (this.#firstConnect) {
      await this.#firstConnect;
      return this.#connect(ends, outlook);
    }
    const first = this.#connect(ends, outlook);
    this.#firstConnect = first.catch(() => {});
    return first;
  }

  async #connect(ends: readonly LinkEnd[], outlook: Outlook): Promise<NetworkNamespace> {
    for (const { network } of ends) await this.#ensure(network);
    return makeNamespace(async (path) => {
      const pairs = ends.map((end) => pairCreation({ ...end, path }));
      await run(programPath('ip'), ['-batch', '-'], { input: pairs.join('') });
      const { sysctls, rules, batch } = furnishing(ends, outlook);
      return { sysctls, rules: outlook.resolving && rules, batch: loopbackUp + batch };
    });
  }

  /** A further link into a namespace that is there. */
  async add(path: string, end: LinkEnd, outlook: Outlook): Promise<void> {
    await this.#ensure(end.network);
    await run(programPath('ip'), ['-batch', '-'], { input: pairCreation({ ...end, path }) });
    try {
      await furnishNamespace(path, furnishing([end], outlook));
    } catch (error) {
      await this.removeLink(end.link).catch(() => {});
      throw error;
    }
  }

  /** Ways as they are to be now that a link of the namespace is gone. */
  async redirect(path: string, outlook: Outlook): Promise<void> {
    await furnishNamespace(path, furnishing([], outlook));
  }

  /** Both ends of it. */
  async removeLink({ hostName }: EndpointLink): Promise<void> {
    if (hostName === null) return;
    await run(programPath('ip'), ['-batch', '-'], { input: linkRemoval(hostName) });
  }

  /**
   * At start: rules for what is there, servers for networks in use. After a reboot there is no bridge, and
   * nothing to do.
   */
  async restore(
    networks: readonly BridgeNetwork[],
    used: ReadonlySet<string>,
    ports: readonly FirewallPort[],
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

  async #ensure(network: BridgeNetwork): Promise<void> {
    await this.#bridges.ensure(network);
    if (hasEmbeddedDns(network)) await this.#dns.ensure(network);
  }
}

/** What is done inside: the links' addresses, then the ways out. */
function furnishing(ends: readonly LinkEnd[], { gateways, resolving }: Outlook): Furnishing {
  const links = ends.map(({ link }) => link);
  const routes = ([4, 6] as const).map((family) => defaultRoute(linkOf(gateways[family]), family));
  return {
    // A link without an IPv6 address has no IPv6, as in dockerd.
    sysctls: [
      ...links
        .filter(({ ipv6 }) => ipv6 === null)
        .map(({ interfaceName }) => ({ name: `ipv6/conf/${interfaceName}/disable_ipv6`, value: '1' })),
      ...ends.flatMap(({ link, sysctls }) =>
        sysctls.map(({ name, value }) => ({ name: name.replace('IFNAME', link.interfaceName), value })),
      ),
      ...(resolving ? [{ name: 'ipv4/conf/all/route_localnet', value: '1' }] : []),
    ],
    rules: dnsRedirect(resolving && serverAddress(resolving)),
    batch: [...links.map(linkAddressing), ...routes].join(''),
  };
}

function linkOf(endpoint: EndpointRecord | null): EndpointLink | null {
  return endpoint?.link ?? null;
}
