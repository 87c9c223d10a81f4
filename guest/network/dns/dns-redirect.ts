import { embeddedAddress, serverPort } from './dns-server.ts';

/**
 * Rules for inside a container's namespace: questions to the embedded address go to the server at the
 * gateway, and its answers come back as from there. That needs `route_localnet`, with which neighbours
 * could send to the container's own loopback; `guard` forbids it.
 */
export function dnsRedirect(gateway: string): string {
  const to = (protocol: string) =>
    `ip daddr ${embeddedAddress} ${protocol} dport 53 dnat to ${gateway}:${serverPort}`;
  return `table ip machine_dns {
  chain guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ${to('udp')}
    ${to('tcp')}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 127.0.0.0/8 oifname != "lo" masquerade
  }
}
`;
}
