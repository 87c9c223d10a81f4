import { bracketed, familyOf } from '../../ip.ts';
import { embeddedAddress, serverPort } from './dns-server.ts';

/**
 * Rules for inside a container's namespace: questions to the embedded address go to the server at the
 * gateway, and its answers come back as from there. That needs `route_localnet`, with which neighbours could
 * send to the container's own loopback; `guard` forbids it. From IPv4's loopback no way leads to a gateway
 * with IPv6 only: there, containers are given its own address to ask.
 *
 * Of one family: a table of both makes the kernel track connections of both, which costs each namespace.
 */
export function dnsRedirect(gateway: string): string {
  const [ip, asked] = familyOf(gateway) === 6 ? ['ip6', gateway] : ['ip', embeddedAddress];
  const to = (protocol: string) =>
    `${ip} daddr ${asked} ${protocol} dport 53 dnat to ${bracketed(gateway)}:${serverPort};`;
  const loopback = `
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop;
  };
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 127.0.0.0/8 oifname != "lo" masquerade;
  };`;
  return `table ${ip} machine_dns {
  chain output {
    type nat hook output priority -100; policy accept;
    ${to('udp')}
    ${to('tcp')}
  };${ip === 'ip' ? loopback : ''}
}`;
}

/** The same for a namespace that may have such rules; without a gateway it has none afterwards. */
export function newDnsRedirect(gateway: string | null): string {
  const drop = ['ip', 'ip6'].map(
    (family) => `add table ${family} machine_dns; delete table ${family} machine_dns;`,
  );
  return [...drop, gateway === null ? '' : dnsRedirect(gateway)].join('\n');
}
