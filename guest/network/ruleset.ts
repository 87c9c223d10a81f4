import type { PublishedPort } from './ports.ts';

/** All that the packet filter is made from. */
export interface FirewallState {
  /** Name of the table, in the family inet; nobody else's rules are touched. */
  readonly table: string;
  readonly bridges: readonly FilteredBridge[];
  readonly ports: readonly ForwardedPort[];
}

export interface FilteredBridge {
  readonly linkName: string;
  readonly subnet: string;
  /** No traffic in or out. */
  readonly internal: boolean;
  readonly interContainer: boolean;
  readonly masquerade: boolean;
}

export interface ForwardedPort extends PublishedPort {
  readonly containerAddress: string;
}

/**
 * The whole table as one nft script (nft(8)), replaced in one transaction: packets meet the old rules or the
 * new ones, never half of them. The rules are constant; networks and ports are elements of sets and maps,
 * so that a lookup costs the same with one port and with a thousand.
 *
 * - A published port is a DNAT in the kernel, also for connections from this host (`output`) and from its
 *   loopback, which needs `route_localnet` on the bridge (bridge.ts); no process carries bytes.
 * - Replies must come back through this host, so what a bridge's own container or the loopback sends to a
 *   published port is masqueraded.
 * - From outside a bridge only published ports are reachable, even for a neighbour that routes to the
 *   container's address; so a port published at 127.0.0.1 stays private.
 * - `route_localnet` would let a container reach services on this host's loopback; `guard` forbids that.
 */
export function renderRuleset({ table, bridges, ports }: FirewallState): string {
  const links = (chosen: readonly FilteredBridge[]) => chosen.map((bridge) => quote(bridge.linkName));
  const masqueraded = bridges.filter((bridge) => bridge.masquerade && !bridge.internal);
  return `add table inet ${table}
delete table inet ${table}
table inet ${table} {
  set bridges { type ifname; ${elements(links(bridges))}}
  set internal { type ifname; ${elements(links(bridges.filter((bridge) => bridge.internal)))}}
  set talking { type ifname . ifname; ${elements(
    bridges
      .filter((bridge) => bridge.interContainer)
      .map((bridge) => `${quote(bridge.linkName)} . ${quote(bridge.linkName)}`),
  )}}
  set own { type ipv4_addr . ifname; flags interval; ${elements(bridges.map(subnetAndLink))}}
  set masqueraded { type ipv4_addr; flags interval; ${elements(masqueraded.map((bridge) => bridge.subnet))}}
  map published_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; ${elements(
    ports.filter(hasAddress).map(elementOf),
  )}}
  map published { type inet_proto . inet_service : ipv4_addr . inet_service; ${elements(
    ports.filter((port) => !hasAddress(port)).map(elementOf),
  )}}
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname . oifname @talking accept
    iifname @internal drop
    oifname @internal drop
    oifname @bridges ct state established,related accept
    oifname @bridges ct status dnat accept
    oifname @bridges drop
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @published_at
    dnat ip to meta l4proto . th dport map @published
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    ip saddr . oifname @own ct status dnat masquerade
    ip saddr . oifname != @own ip saddr @masqueraded masquerade
  }
}
`;
}

/** Publishes further ports of a table that is there. */
export function renderPortAddition(table: string, ports: readonly ForwardedPort[]): string {
  return ports.map((port) => `add element inet ${table} ${mapOf(port)} { ${elementOf(port)} }\n`).join('');
}

/** Takes them back; fails as a whole when one is not there. */
export function renderPortRemoval(table: string, ports: readonly ForwardedPort[]): string {
  return ports.map((port) => `delete element inet ${table} ${mapOf(port)} { ${keyOf(port)} }\n`).join('');
}

function hasAddress(port: PublishedPort): boolean {
  return port.hostAddress !== '0.0.0.0';
}

function mapOf(port: PublishedPort): string {
  return hasAddress(port) ? 'published_at' : 'published';
}

function keyOf(port: PublishedPort): string {
  const key = `${port.protocol} . ${port.hostPort}`;
  return hasAddress(port) ? `${port.hostAddress} . ${key}` : key;
}

function elementOf(port: ForwardedPort): string {
  return `${keyOf(port)} : ${port.containerAddress} . ${port.containerPort}`;
}

function subnetAndLink(bridge: FilteredBridge): string {
  return `${bridge.subnet} . ${quote(bridge.linkName)}`;
}

function elements(list: readonly string[]): string {
  return list.length === 0 ? '' : `elements = { ${list.join(', ')} }; `;
}

function quote(linkName: string): string {
  return `"${linkName}"`;
}
