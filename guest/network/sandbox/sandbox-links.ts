import { run } from '../../host/exec.ts';
import { programPath } from '../../host/program-path.ts';
import { dnsRedirect, newDnsRedirect } from '../dns/dns-redirect.ts';
import { DnsServers, serverAddress } from '../dns/dns-server.ts';
import type { MachineResolver } from '../dns/machine-resolver.ts';
import type { EndpointLink } from '../endpoint.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { FirewallPort } from '../firewall/ruleset.ts';
import { Bridges, filtered, linkExists } from '../links/bridge.ts';
import {
  defaultRoute,
  linkAddressing,
  linkCreation,
  linkRemoval,
  loopbackUp,
} from '../links/link-scripts.ts';
import {
  type Furnishing,
  furnishNamespace,
  makeNamespace,
  type NetworkNamespace,
} from '../links/network-namespace.ts';
import { ensureParent, removeParent } from '../links/parent.ts';
import { type BridgeNetwork, hasBridge, hasEmbeddedDns, hasParent, type LinkedNetwork } from '../network.ts';
import type { NetworkRecords } from '../network-records.ts';
import type { EndpointOptions } from './endpoint-options.ts';
import type { Outlook } from './outlook.ts';

export interface LinkEnd {
  readonly network: LinkedNetwork;
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

  constructor(
    records: NetworkRecords,
    firewall: Firewall,
    front: { readonly host: string | null; readonly resolver: MachineResolver | null },
  ) {
    this.#firewall = firewall;
    this.#bridges = new Bridges(firewall);
    this.#dns = new DnsServers(records, front);
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
      const links = ends.map((end) => linkCreation({ ...end, path }));
      await run(programPath('ip'), ['-batch', '-'], { input: links.join('') });
      const { resolving } = outlook;
      const inside = furnishing(ends, outlook);
      return {
        ...inside,
        rules: resolving && dnsRedirect(serverAddress(resolving)),
        batch: loopbackUp + inside.batch,
      };
    });
  }

  /** A further link into a namespace that is there. */
  async add(path: string, end: LinkEnd, outlook: Outlook): Promise<void> {
    await this.#ensure(end.network);
    await run(programPath('ip'), ['-batch', '-'], { input: linkCreation({ ...end, path }) });
    try {
      await furnishNamespace(path, furnishing([end], outlook));
    } catch (error) {
      await this.remove(path, end.link, outlook).catch(() => {});
      throw error;
    }
  }

  /** Takes a link out of a namespace, with its other end; what is left leads out as it is told to. */
  async remove(path: string, { interfaceName }: EndpointLink, outlook: Outlook): Promise<void> {
    const rest = furnishing([], outlook);
    await furnishNamespace(path, { ...rest, batch: linkRemoval(interfaceName) + rest.batch });
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
  async takeDown(network: LinkedNetwork): Promise<void> {
    await this.#dns.remove(network.id);
    if (hasBridge(network)) await this.#bridges.remove(network);
    if (hasParent(network)) await removeParent(network);
  }

  /** Stops the servers, and the table's when nothing is left in it. */
  async close(): Promise<void> {
    await this.#dns.close();
    await this.#firewall.close();
  }

  async #ensure(network: LinkedNetwork): Promise<void> {
    if (hasBridge(network)) await this.#bridges.ensure(network);
    if (hasParent(network)) await ensureParent(network);
    if (hasEmbeddedDns(network)) await this.#dns.ensure(network);
  }
}

/** What is done inside: the links' addresses, then the ways out. */
function furnishing(ends: readonly LinkEnd[], { gateways, resolving }: Outlook): Furnishing {
  const links = ends.map(({ link }) => link);
  const routes = ([4, 6] as const).map((family) => defaultRoute(gateways[family]?.link ?? null, family));
  return {
    renames: links
      .filter(({ kind }) => kind === 'child')
      .map(({ hostName, interfaceName }) => ({ from: hostName, to: interfaceName })),
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
    rules: newDnsRedirect(resolving && serverAddress(resolving)),
    batch: [...links.map(linkAddressing), ...routes].join(''),
  };
}
