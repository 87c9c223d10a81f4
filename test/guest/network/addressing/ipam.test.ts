import t from 'tap';
import { formatAddress, formatSubnet, parseAddress, parseSubnet } from '../../../../guest/ip.ts';
import { assertAssignable, nextAddress } from '../../../../guest/network/addressing/ipam.ts';
import { checkedMac, macAddress } from '../../../../guest/network/addressing/mac-address.ts';
import { assertFree, pickSubnet, pickUniqueLocal } from '../../../../guest/network/addressing/pools.ts';

const address = (text: string) => parseAddress(text)!;
const numberOf = (text: string) => address(text).value;
const subnet = parseSubnet('172.17.0.0/29');

function next(last: string | null, ...taken: string[]): string {
  return formatAddress(
    nextAddress({
      range: subnet,
      subnet,
      last: last === null ? null : numberOf(last),
      taken: new Set(['172.17.0.1', ...taken].map(numberOf)),
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
  t.throws(() => next(null, ...all), { name: 'Conflict', message: /IPv4 .*172\.17\.0\.0\/29/ });
});

t.test('addresses come only from the range of the subnet', async (t) => {
  const given = nextAddress({
    range: parseSubnet('10.0.5.0/24'),
    subnet: parseSubnet('10.0.0.0/16'),
    last: numberOf('10.0.5.255'),
    taken: new Set([numberOf('10.0.5.0')]),
  });
  t.equal(formatAddress(given), '10.0.5.1');
});

t.test('IPv6 blocks have more addresses than anybody counts, and no broadcast', async (t) => {
  const block = parseSubnet('fd00:1::/64');
  const taken = new Set([numberOf('fd00:1::1')]);
  t.equal(formatAddress(nextAddress({ range: block, subnet: block, last: null, taken })), 'fd00:1::2');
  assertAssignable(address('fd00:1::ffff:ffff:ffff:ffff'), block, taken);
  t.throws(() => assertAssignable(address('fd00:1::'), block, taken), { name: 'InvalidParameter' });
  t.throws(() => assertAssignable(address('10.0.0.1'), block, taken), { name: 'InvalidParameter' });
});

t.test('a static address must be in the block, be no special one, and be free', async (t) => {
  const taken = new Set([numberOf('172.17.0.3')]);
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
  t.equal(formatSubnet(pickUniqueLocal(() => Buffer.from('0102030405', 'hex'))), 'fd01:203:405::/64');
});

t.test('a MAC is derived from the IPv4 address, and is local and no multicast without one', async (t) => {
  t.equal(macAddress(address('172.17.0.2')), '02:42:ac:11:00:02');
  t.match(macAddress(null), /^02:42(:[0-9a-f]{2}){4}$/);
  t.equal(checkedMac('02-00-00-00-00-0A'), '02:00:00:00:00:0a');
  t.throws(() => checkedMac('02:00:00:00:00'), { name: 'InvalidParameter' });
});
