import t from 'tap';
import { newNetwork } from '../../../../guest/network/definition/network-request.ts';
import type { EndpointLink } from '../../../../guest/network/endpoint.ts';
import {
  bridgeAddressing6,
  bridgeCreation,
  defaultRoute,
  linkAddressing,
  linkCreation,
  parentCreation,
} from '../../../../guest/network/links/link-scripts.ts';
import { hasBridge, hasLinks } from '../../../../guest/network/network.ts';

const given = { prefixLength: 24, publishing: 'nat' } as const;
const link: EndpointLink = {
  kind: 'pair',
  hostName: 'veth1234567',
  interfaceName: 'eth0',
  macAddress: '02:42:0a:00:00:02',
  routedByParent: false,
  ipv4: { ...given, address: '10.0.0.2', gateway: '10.0.0.1' },
  ipv6: { ...given, address: 'fd00::2', prefixLength: 64, gateway: 'fd00::1' },
};

function network(driver: string, options: Record<string, string>) {
  const made = newNetwork(
    {
      name: 'app',
      driver,
      options,
      internal: false,
      attachable: false,
      labels: {},
      enableIpv4: true,
      enableIpv6: true,
      addressing: ['10.0.0.0/24', 'fd00::/64'].map((subnet) => ({ subnet, auxiliary: {} })),
    },
    [],
    { routes: [], links: new Set(['eth1']), firstPool: 0 },
  );
  if (!hasLinks(made)) throw new Error('no links');
  return made;
}

t.test('a bridge has its addresses, and a MAC address that its ports do not change', async (t) => {
  const app = network('bridge', {
    'com.docker.network.bridge.name': 'br-app',
    'com.docker.network.driver.mtu': '1400',
  });
  t.equal(
    hasBridge(app) && bridgeCreation(app, '02:42:00:00:00:01'),
    `link add name br-app mtu 1400 address 02:42:00:00:00:01 type bridge
link set br-app addrgenmode none
addr replace 10.0.0.1/24 brd + dev br-app
link set br-app up
`,
  );
  t.equal(
    bridgeAddressing6('br-app', app.ipv6!),
    'addr replace fd00::1/64 dev br-app nodad\naddr replace fe80::1/64 dev br-app nodad\n',
  );
  t.equal(
    linkCreation({ link, network: app, path: '/ns' }),
    `link add name veth1234567 mtu 1400 type veth peer name eth0 mtu 1400 address 02:42:0a:00:00:02 netns /ns
link set veth1234567 addrgenmode none master br-app up
link set veth1234567 type bridge_slave hairpin on
`,
  );
});

t.test('macvlan and ipvlan links are made on their parent, in the namespace', async (t) => {
  t.equal(
    linkCreation({ link, network: network('macvlan', { parent: 'eth1' }), path: '/ns' }),
    'link add link eth1 name veth1234567 address 02:42:0a:00:00:02 netns /ns type macvlan mode bridge\n',
  );
  const l3 = network('ipvlan', { parent: 'eth1', ipvlan_mode: 'l3', ipvlan_flag: 'private' });
  const child = { ...link, macAddress: '', routedByParent: true };
  t.equal(
    linkCreation({ link: child, network: l3, path: '/ns' }),
    'link add link eth1 name veth1234567 netns /ns type ipvlan mode l3 private\n',
  );
  t.equal(defaultRoute(child, 6), 'route replace ::/0 dev eth0\n');
  t.equal(
    parentCreation(network('macvlan', { parent: 'eth1.70' }).parent!),
    'link add link eth1 name eth1.70 type vlan id 70\nlink set eth1.70 up\n',
  );
  t.match(parentCreation(network('ipvlan', {}).parent!), /^link add name dm-\w{12} type dummy\n/);
});

t.test('inside, a link has what it was given, and no more', async (t) => {
  t.equal(
    linkAddressing(link),
    `addr add 10.0.0.2/24 brd + dev eth0
addr add fd00::2/64 dev eth0 nodad
link set eth0 up
`,
  );
  t.equal(
    linkAddressing({ ...link, ipv6: null }),
    `link set eth0 addrgenmode none
addr add 10.0.0.2/24 brd + dev eth0
link set eth0 up
`,
  );
  t.equal(defaultRoute(link, 4), 'route replace default via 10.0.0.1 dev eth0\n');
  t.equal(defaultRoute({ ...link, ipv4: null }, 4), '');
  t.equal(defaultRoute(null, 6), '');
});
