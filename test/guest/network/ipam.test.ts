import t from 'tap';
import {
  assertAssignable,
  assertFree,
  macAddress,
  nextAddress,
  pickSubnet,
} from '../../../guest/network/ipam.ts';
import { formatAddress, formatSubnet, parseAddress, parseSubnet } from '../../../guest/network/ipv4.ts';

const address = (text: string) => parseAddress(text)!;
const subnet = parseSubnet('172.17.0.0/29');

function next(last: string | null, ...taken: string[]): string {
  return formatAddress(
    nextAddress({
      range: subnet,
      subnet,
      last: last === null ? null : address(last),
      taken: new Set(['172.17.0.1', ...taken].map(address)),
    }),
  );
}

t.test('the first container gets the first address after the gateway', async (t) => {
  t.equal(next(null), '172.17.0.2');
});

t.test('an address is reused only after the whole block went round', async (t) => {
  t.equal(next('172.17.0.2'), '172.17.0.3');
  t.equal(next('172.17.0.6'), '172.17.0.2');
  t.equal(next('172.17.0.3', '172.17.0.4'), '172.17.0.5');
});

t.test('the network and broadcast addresses are never given, and a full block says so', async (t) => {
  const all = [2, 3, 4, 5, 6].map((n) => `172.17.0.${n}`);
  t.throws(() => next(null, ...all), { name: 'Conflict', message: /172\.17\.0\.0\/29/ });
});

t.test('addresses come only from the range of the subnet', async (t) => {
  const given = nextAddress({
    range: parseSubnet('10.0.5.0/24'),
    subnet: parseSubnet('10.0.0.0/16'),
    last: address('10.0.5.255'),
    taken: new Set([address('10.0.5.0')]),
  });
  t.equal(formatAddress(given), '10.0.5.1');
});

t.test('a static address must be in the block, be no special one, and be free', async (t) => {
  const taken = new Set([address('172.17.0.3')]);
  assertAssignable(address('172.17.0.4'), subnet, taken);
  t.throws(() => assertAssignable(address('172.18.0.4'), subnet, taken), { name: 'InvalidParameter' });
  t.throws(() => assertAssignable(address('172.17.0.7'), subnet, taken), { name: 'InvalidParameter' });
  t.throws(() => assertAssignable(address('172.17.0.3'), subnet, taken), {
    name: 'Conflict',
    message: 'Address already in use: 172.17.0.3',
  });
});

t.test('a new network avoids what the host and other networks have', async (t) => {
  t.equal(formatSubnet(pickSubnet([])), '172.17.0.0/16');
  t.equal(
    formatSubnet(pickSubnet([parseSubnet('172.17.5.0/24'), parseSubnet('172.18.0.0/15')])),
    '172.20.0.0/16',
  );
  t.throws(() => pickSubnet([parseSubnet('172.0.0.0/8'), parseSubnet('192.168.0.0/16')]), {
    name: 'Forbidden',
  });
  t.throws(() => assertFree(subnet, [parseSubnet('172.16.0.0/12')]), { message: /Pool overlaps/ });
});

t.test('a MAC is derived from the address', async (t) => {
  t.equal(macAddress(address('172.17.0.2')), '02:42:ac:11:00:02');
});

t.test('only plain dotted quads are addresses, and only IPv4 blocks subnets', async (t) => {
  for (const text of ['1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.04', '1.2.3.x', '', '::1']) {
    t.equal(parseAddress(text), null, text);
  }
  t.equal(formatAddress(address('255.255.255.255')), '255.255.255.255');
  t.equal(formatSubnet(parseSubnet('10.1.2.3/16')), '10.1.0.0/16');
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/8/8', 'fd00::/64', '10.0.0.0/']) {
    t.throws(() => parseSubnet(text), { name: 'InvalidParameter' }, text);
  }
});
