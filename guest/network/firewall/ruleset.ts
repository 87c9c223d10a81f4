import { type Family, familyOf, isUnspecified } from '../../ip.ts';
import type { GatewayMode } from '../network.ts';
import type { ContainerPort, PublishedPort } from '../ports/ports.ts';

/** All that the packet filter is made from. */
export interface FirewallState {
  /** Name of the table, in the family inet; nobody else's rules are touched. */
  readonly table: string;
  readonly bridges: readonly FilteredBridge[];
  readonly ports: readonly FirewallPort[];
  /** The host that forwards to this one; see {@link ThroughPort}. */
  readonly through: ForwardingWay | null;
}

/**
 * Where what is forwarded comes from: an address, and the link that leads there. QEMU's user network passes on a
 * neighbour's own address when the host forwards from all of its addresses; nobody else is on that link.
 */
export interface ForwardingWay {
  readonly address: string;
  readonly linkName: string | null;
}

export interface FilteredBridge {
  readonly linkName: string;
  /** One of each family at most. */
  readonly subnets: readonly string[];
  /** No traffic in or out. */
  readonly internal: boolean;
  readonly interContainer: boolean;
  readonly masquerade: boolean;
  readonly gatewayMode: Readonly<Record<Family, GatewayMode>>;
}

export interface ForwardedPort extends PublishedPort {
  readonly containerAddress: string;
}

/** A port of this host, whatever its address, for the host that forwards. */
export interface ThroughPort extends ContainerPort {
  readonly throughPort: number;
  readonly containerAddress: string;
}

/** A port that is reached at the container's own address. */
export interface OpenPort extends ContainerPort {
  readonly containerAddress: string;
}

export type FirewallPort = ForwardedPort | ThroughPort | OpenPort;

/**
 * The whole table as one nft script (nft(8)), replaced in one transaction: packets meet the old rules or the
 * new ones, never half of them. The rules are constant; networks and ports are elements of sets and maps,
 * so that a lookup costs the same with one port and with a thousand.
 *
 * - A published port is a DNAT in the kernel, also for connections from this host (`output`) and from its
 *   loopback, which needs `route_localnet` on the bridge (bridge.ts). There is no such thing for ::1, whose
 *   connections the port's own socket relays (port-socket.ts).
 * - Replies must come back through this host, so what a bridge's own container or the loopback sends to a
 *   published port is masqueraded.
 * - From outside a bridge only published ports are reachable, even for a neighbour that routes to the
 *   container's address; so a port published at 127.0.0.1 stays private. The gateway modes `routed` and
 *   `nat-unprotected` are the wish to have it otherwise.
 * - `route_localnet` would let a container reach services on this host's loopback; `guard` forbids that.
 */
export function renderRuleset({ table, bridges, ports, through }: FirewallState): string {
  const links = (chosen: readonly FilteredBridge[]) => chosen.map((bridge) => quote(bridge.linkName));
  const unprotected = (family: Family) =>
    links(bridges.filter((bridge) => bridge.gatewayMode[family] === 'nat-unprotected'));
  const of = (set: string) =>
    elements(
      ports
        .flatMap(elementsOf)
        .filter((e) => e.set === set)
        .map(whole),
    );
  const forwarder =
    through === null
      ? ''
      : [
          `ip saddr ${through.address}`,
          ...(through.linkName === null ? [] : [`iifname ${quote(through.linkName)} meta nfproto ipv4`]),
        ]
          .map((from) => `\n    ${from} dnat ip to meta l4proto . th dport map @through`)
          .join('');
  const answers = through === null ? '' : renderAnswers(through);
  return `add table inet ${table}
delete table inet ${table}
table inet ${table} {
  set bridges { type ifname; ${elements(links(bridges))}}
  set internal { type ifname; ${elements(links(bridges.filter((bridge) => bridge.internal)))}}
  set unprotected { type ifname; ${elements(unprotected(4))}}
  set unprotected6 { type ifname; ${elements(unprotected(6))}}
  set talking { type ifname . ifname; ${elements(
    bridges
      .filter((bridge) => bridge.interContainer)
      .map((bridge) => `${quote(bridge.linkName)} . ${quote(bridge.linkName)}`),
  )}}
  set own { type ipv4_addr . ifname; flags interval; ${elements(ownSubnets(bridges, 4))}}
  set own6 { type ipv6_addr . ifname; flags interval; ${elements(ownSubnets(bridges, 6))}}
  set masqueraded { type ipv4_addr; flags interval; ${elements(masqueraded(bridges, 4))}}
  set masqueraded6 { type ipv6_addr; flags interval; ${elements(masqueraded(bridges, 6))}}
  set routed { type ipv4_addr . inet_proto . inet_service; ${of('routed')}}
  set routed6 { type ipv6_addr . inet_proto . inet_service; ${of('routed6')}}
  map published_at { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; ${of('published_at')}}
  map published_at6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; ${of('published_at6')}}
  map published { type inet_proto . inet_service : ipv4_addr . inet_service; ${of('published')}}
  map published6 { type inet_proto . inet_service : ipv6_addr . inet_service; ${of('published6')}}
  map through { type inet_proto . inet_service : ipv4_addr . inet_service; ${of('through')}}
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
    oifname @bridges ip daddr . meta l4proto . th dport @routed accept
    oifname @bridges ip6 daddr . meta l4proto . th dport @routed6 accept
    oifname @unprotected meta nfproto ipv4 accept
    oifname @unprotected6 meta nfproto ipv6 accept
    oifname @bridges drop
  }
  chain publish {${forwarder}
    dnat ip to ip daddr . meta l4proto . th dport map @published_at
    dnat ip to meta l4proto . th dport map @published
    ip6 daddr ::1 return
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @published_at6
    dnat ip6 to meta l4proto . th dport map @published6
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
    ip6 saddr . oifname @own6 ct status dnat masquerade
    ip saddr . oifname != @own ip saddr @masqueraded masquerade
    ip6 saddr . oifname != @own6 ip6 saddr @masqueraded6 masquerade
  }${answers}
}
`;
}

/**
 * libslirp empties what it is to send at each SYN-ACK that says a segment size (`tcp_mss`, until 4.9 at least). The
 * kernel repeats its SYN-ACK while a program's queue of new connections is full, and what a client had said by then
 * was lost without a word. So libslirp is told no size where it is the one that it takes anyway, an Ethernet's.
 */
function renderAnswers({ address, linkName }: ForwardingWay): string {
  const to = `${linkName === null ? '' : `oifname ${quote(linkName)} `}ip daddr ${address}`;
  return `
  chain answers {
    type filter hook postrouting priority mangle; policy accept;
    ${to} tcp flags & (syn | ack) == (syn | ack) tcp option maxseg size >= 1460 reset tcp option maxseg
  }`;
}

/** Publishes further ports of a table that is there. */
export function renderPortAddition(table: string, ports: readonly FirewallPort[]): string {
  return ports
    .flatMap(elementsOf)
    .map((element) => `add element inet ${table} ${element.set} { ${whole(element)} }\n`)
    .join('');
}

/** Takes them back; fails as a whole when one is not there. */
export function renderPortRemoval(table: string, ports: readonly FirewallPort[]): string {
  return ports
    .flatMap(elementsOf)
    .map(({ set, key }) => `delete element inet ${table} ${set} { ${key} }\n`)
    .join('');
}

interface Element {
  readonly set: string;
  readonly key: string;
  /** Of a map's element. */
  readonly value: string | null;
}

/** What a port is in the table. */
function elementsOf(port: FirewallPort): Element[] {
  const { protocol, containerAddress, containerPort } = port;
  const value = `${containerAddress} . ${containerPort}`;
  if ('throughPort' in port) return [{ set: 'through', key: `${protocol} . ${port.throughPort}`, value }];
  const suffix = familyOf(containerAddress) === 6 ? '6' : '';
  if (!('hostPort' in port)) {
    const key = `${containerAddress} . ${protocol} . ${containerPort}`;
    return [{ set: `routed${suffix}`, key, value: null }];
  }
  const { hostAddress, hostPort } = port;
  if (isUnspecified(hostAddress)) {
    return [{ set: `published${suffix}`, key: `${protocol} . ${hostPort}`, value }];
  }
  return [{ set: `published_at${suffix}`, key: `${hostAddress} . ${protocol} . ${hostPort}`, value }];
}

function whole({ key, value }: Element): string {
  return value === null ? key : `${key} : ${value}`;
}

function ownSubnets(bridges: readonly FilteredBridge[], family: Family): string[] {
  return bridges.flatMap(({ subnets, linkName }) =>
    subnets.filter((subnet) => familyOf(subnet) === family).map((subnet) => `${subnet} . ${quote(linkName)}`),
  );
}

function masqueraded(bridges: readonly FilteredBridge[], family: Family): string[] {
  return bridges
    .filter(
      ({ masquerade, internal, gatewayMode }) => masquerade && !internal && gatewayMode[family] !== 'routed',
    )
    .flatMap(({ subnets }) => subnets.filter((subnet) => familyOf(subnet) === family));
}

function elements(list: readonly string[]): string {
  return list.length === 0 ? '' : `elements = { ${list.join(', ')} }; `;
}

function quote(linkName: string): string {
  return `"${linkName}"`;
}
