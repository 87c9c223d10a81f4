import t from 'tap';
import { formatSubnet, parseSubnet } from '../../../guest/network/ipv4.ts';
import type { NetworkRecord } from '../../../guest/network/network.ts';
import { type NetworkRequest, newNetwork } from '../../../guest/network/network-request.ts';

type Addressing = NetworkRequest['addressing'][number];

function make(more: Partial<NetworkRequest> = {}, networks: NetworkRecord[] = []) {
  const plain = {
    driver: 'bridge',
    internal: false,
    attachable: false,
    labels: {},
    options: {},
    addressing: [],
  };
  return newNetwork({ name: 'app', ...plain, ...more }, networks, [parseSubnet('172.17.0.0/16')]);
}

const addressed = (addressing: Partial<Addressing>) =>
  make({ addressing: [{ auxiliary: {}, ...addressing }] });

t.test('a network gets the first free subnet, and a link named by its id', async (t) => {
  const first = make();
  t.match(first.bridge, { subnet: '172.18.0.0/16', gateway: '172.18.0.1', mtu: null, interContainer: true });
  t.equal(first.bridge!.linkName, `br-${first.id.slice(0, 12)}`);
  t.equal(make({ name: 'other' }, [first]).bridge!.subnet, '172.19.0.0/16');
});

t.test('addressing is taken as it is asked for', async (t) => {
  const { bridge } = addressed({
    subnet: '10.5.3.1/16',
    range: '10.5.8.0/24',
    gateway: '10.5.0.254',
    auxiliary: { printer: '10.5.0.9' },
  });
  t.match(bridge, {
    subnet: formatSubnet(parseSubnet('10.5.0.0/16')),
    range: '10.5.8.0/24',
    gateway: '10.5.0.254',
    auxiliary: { printer: '10.5.0.9' },
  });
});

t.test('options are honoured', async (t) => {
  const name = 'com.docker.network';
  const { bridge } = make({
    options: {
      [`${name}.bridge.name`]: 'br-app',
      [`${name}.driver.mtu`]: '1400',
      [`${name}.bridge.enable_icc`]: 'false',
      [`${name}.bridge.enable_ip_masquerade`]: '0',
      [`${name}.bridge.host_binding_ipv4`]: '127.0.0.1',
    },
  });
  t.match(bridge, {
    linkName: 'br-app',
    mtu: 1400,
    interContainer: false,
    masquerade: false,
    defaultBindAddress: '127.0.0.1',
  });
});

t.test('what cannot be is refused', async (t) => {
  const app = make();
  const refused: [string, () => unknown, RegExp][] = [
    ['Conflict', () => make({}, [app]), /network with name app already exists/],
    ['Forbidden', () => make({ name: 'host' }), /predefined host network/],
    ['Forbidden', () => make({ driver: 'host' }), /only one instance/],
    ['NotFound', () => make({ driver: 'overlay' }), /plugin overlay/],
    ['InvalidParameter', () => make({ name: 'a b' }), /invalid network name/],
    ['InvalidParameter', () => make({ options: { colour: 'red' } }), /unknown network option "colour"/],
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
    ['InvalidParameter', () => make({ addressing: [{ auxiliary: {} }, { auxiliary: {} }] }), /one subnet/],
    ['InvalidParameter', () => addressed({ gateway: '10.0.0.1' }), /needs a subnet/],
    ['InvalidParameter', () => addressed({ subnet: '10.0.0.0/24', gateway: '10.0.1.1' }), /does not belong/],
    ['InvalidParameter', () => addressed({ subnet: '10.0.0.0/24', range: '10.0.0.0/16' }), /not in subnet/],
    ['InvalidParameter', () => addressed({ subnet: '10.0.0.0/31' }), /no room/],
    ['InvalidParameter', () => addressed({ subnet: 'fd00::/64' }), /invalid subnet/],
  ];
  for (const [name, work, message] of refused) t.throws(work, { name, message }, String(message));
  const overlapping = () =>
    make({ name: 'b', addressing: [{ subnet: '172.18.5.0/24', auxiliary: {} }] }, [app]);
  t.throws(overlapping, { name: 'Forbidden', message: /Pool overlaps/ });
});
