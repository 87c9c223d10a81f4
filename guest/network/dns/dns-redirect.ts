import { bracketed, familyOf } from '../addressing/ip.ts';
import { embeddedAddress, serverPort } from './dns-server.ts';

/**
 * Rules for inside a container's namespace, instead of those that were there: questions to the embedded
 * address go to the server at the gateway, and its answers come back as from there. That needs
 * `route_localnet`, with which neighbours could send to the container's own loopback; `guard` forbids it.
 * From IPv4's loopback no way leads to a gateway with IPv6 only: there, containers are given its own
 * address to ask. `gateway` null: no rules.
 */
export function dnsRedirect(gateway: string | null): string {
  const drop = 'add table inet machine_dns; delete table inet machine_dns;';
  if (gateway === null) return drop;
  const [ip, asked] = familyOf(gateway) === 6 ? ['ip6', gateway] : ['ip', embeddedAddress];
  const to = (protocol: string) =>
    `${ip} daddr ${asked} ${protocol} dport 53 dnat ${ip} to ${bracketed(gateway)}:${serverPort};`;
  return `${drop}
table inet machine_dns {
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop;
  };
  chain output {
    type nat hook output priority -100; policy accept;
    ${to('udp')}
    ${to('tcp')}
  };
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 127.0.0.0/8 oifname != "lo" masquerade;
  };
}`;
}
