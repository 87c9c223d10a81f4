import t from 'tap';
import { parseSubnet } from '../../../../guest/ip.ts';
import { type NetworkRequest, newNetwork } from '../../../../guest/network/definition/network-request.ts';
import type { NetworkRecord } from '../../../../guest/network/network.ts';
import { networkNamed } from '../../../helpers/network-named.ts';

type Addressing = NetworkRequest['addressing'][number];

function make(more: Partial<NetworkRequest> = {}, networks: NetworkRecord[] = []) {
  return newNetwork(networkNamed('app', more), networks, {
    routes: [parseSubnet('172.17.0.0/16')],
    links: new Set(['eth0', 'br-there']),
    firstPool: 0,
  });
}

const addressed = (addressing: Partial<Addressing>) =>
  make({ addressing: [{ auxiliary: {}, ...addressing }] });

t.test('a network gets the first free subnet, and a link named by its id', async (t) => {
  const first = make();
  t.match(first, { ipv4: { subnet: '172.18.0.0/16', gateway: '172.18.0.1' }, ipv6: null, mtu: null });
  t.equal(first.bridge!.linkName, `br-${first.id.slice(0, 12)}`);
  t.equal(make({ name: 'other' }, [first]).ipv4!.subnet, '172.19.0.0/16');
});

t.test('addressing is taken as it is asked for', async (t) => {
  const { ipv4 } = addressed({
    subnet: '10.5.0.0/16',
    range: '10.5.8.0/24',
    gateway: '10.5.0.254',
    auxiliary: { printer: '10.5.0.9' },
  });
  t.match(ipv4, {
    subnet: '10.5.0.0/16',
    range: '10.5.8.0/24',
    gateway: '10.5.0.254',
    auxiliary: { printer: '10.5.0.9' },
  });
});

t.test('options are honoured', async (t) => {
  const name = 'com.docker.network';
  const { bridge, mtu, interfacePrefix } = make({
    options: {
      [`${name}.bridge.name`]: 'br-app',
      [`${name}.driver.mtu`]: '1400',
      [`${name}.bridge.enable_icc`]: 'false',
      [`${name}.bridge.enable_ip_masquerade`]: '0',
      [`${name}.bridge.host_binding_ipv4`]: '127.0.0.1',
      [`${name}.bridge.gateway_mode_ipv6`]: 'routed',
      [`${name}.container_iface_prefix`]: 'net',
    },
  });
  t.match(bridge, {
    linkName: 'br-app',
    foreign: false,
    interContainer: false,
    masquerade: false,
    defaultBindAddress: '127.0.0.1',
    gatewayMode: { 4: 'nat', 6: 'routed' },
  });
  t.same([mtu, interfacePrefix], [1400, 'net']);
  const there = make({ options: { [`${name}.bridge.name`]: 'br-there' } });
  t.equal(there.bridge!.foreign, true, 'a bridge of the host is used, and stays');
});

t.test('a network has IPv6 beside IPv4, or alone', async (t) => {
  const both = make({ enableIpv6: true, addressing: [{ subnet: 'fd00:7::/64', auxiliary: {} }] });
  t.match(both, { ipv4: { subnet: '172.18.0.0/16' }, ipv6: { subnet: 'fd00:7::/64', gateway: 'fd00:7::1' } });
  const alone = make({ enableIpv4: false, enableIpv6: true });
  t.equal(alone.ipv4, null);
  t.match(alone.ipv6!.subnet, /^fd[0-9a-f]{2}:.*::\/64$/);
  const unused = addressed({ subnet: 'fd00:7::/64' });
  t.same([unused.ipv4!.subnet, unused.ipv6], ['172.18.0.0/16', null]);
});

t.test('macvlan and ipvlan networks hang on a link of the host, or on none', async (t) => {
  const macvlan = make({ driver: 'macvlan', options: { parent: 'eth0.50' } });
  t.same(macvlan.parent, { linkName: 'eth0.50', own: 'vlan', mode: 'bridge', flag: null });
  t.equal(macvlan.internal, false);
  t.equal(make({ driver: 'ipvlan', options: { parent: 'eth0' } }).parent!.own, null);
  t.throws(() => make({ driver: 'ipvlan', options: { parent: 'eth1.2' } }), { message: /no such link/ });
  const ipvlan = make({ driver: 'ipvlan', options: { ipvlan_mode: 'l3' } });
  t.match(ipvlan.parent, {
    linkName: `dm-${ipvlan.id.slice(0, 12)}`,
    own: 'dummy',
    mode: 'l3',
    flag: 'bridge',
  });
  t.equal(ipvlan.internal, true);
});

t.test('what cannot be is refused', async (t) => {
  const app = make();
  const refused: [string, () => unknown, RegExp][] = [
    ['Conflict', () => make({}, [app]), /network with name app already exists/],
    ['Forbidden', () => make({ name: 'host' }), /predefined host network/],
    ['Forbidden', () => make({ driver: 'host' }), /only one instance/],
    ['NotFound', () => make({ driver: 'overlay' }), /plugin "overlay" not found/],
    ['InvalidParameter', () => make({ name: ' ' }), /^invalid name:/],
    [
      'InvalidParameter',
      () => make({ options: { 'com.docker.network.colour': 'red' } }),
      /unknown network option "com.docker.network.colour"/,
    ],
    [
      'InvalidParameter',
      () => make({ options: { 'com.docker.network.bridge.name': 'a; flush ruleset' } }),
      /invalid value/,
    ],
    [
      'InvalidParameter',
      () => make({ options: { 'com.docker.network.driver.mtu': '9' } }),
      /invalid value "9"/,
    ],
    ['Forbidden', () => make({ addressing: [{ auxiliary: {} }, { auxiliary: {} }] }), /one subnet of IPv4/],
    ['InvalidParameter', () => make({ enableIpv4: false }), /IPv4 or IPv6 must be enabled/],
    ['InvalidParameter', () => addressed({ subnet: '10.5.3.1/16' }), /it should be 10\.5\.0\.0\/16/],
    ['InvalidParameter', () => addressed({ gateway: '10.0.0.1' }), /needs a subnet/],
    ['InvalidParameter', () => addressed({ subnet: '10.0.0.0/24', gateway: '10.0.1.1' }), /does not belong/],
    ['InvalidParameter', () => addressed({ subnet: '10.0.0.0/24', range: '10.0.0.0/16' }), /not in subnet/],
    ['InvalidParameter', () => addressed({ subnet: '10.0.0.0/31' }), /no room/],
    [
      'NotImplemented',
      () => make({ options: { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' } }),
      /isolated is not there/,
    ],
    [
      'InvalidParameter',
      () => make({ driver: 'macvlan', options: { macvlan_mode: 'x' } }),
      /expected bridge/,
    ],
  ];
  for (const [name, work, message] of refused) t.throws(work, { name, message }, String(message));
  const overlapping = () =>
    make({ name: 'b', addressing: [{ subnet: '172.18.5.0/24', auxiliary: {} }] }, [app]);
  t.throws(overlapping, { name: 'Forbidden', message: /Pool overlaps/ });
});
