import t from 'tap';
import type { EndpointRecord } from '../../../../guest/network/endpoint.ts';
import { chooseGateways } from '../../../../guest/network/sandbox/gateways.ts';
import { endpointOf } from '../endpoint-of.ts';

function endpoint(networkName: string, ways: string, priority = 0): EndpointRecord {
  const way = (family: string) => ({
    address: family,
    prefixLength: 1,
    gateway: ways.includes(family) ? family : null,
    publishing: 'nat' as const,
  });
  const ends = { container: 'c', network: networkName };
  return endpointOf(ends, { ipv4: way('4'), ipv6: way('6') }, { asked: { GwPriority: priority } });
}

function chosen(...endpoints: EndpointRecord[]): string {
  const gateways = chooseGateways(endpoints);
  return `${gateways[4]?.networkName ?? '-'} ${gateways[6]?.networkName ?? '-'}`;
}

t.test('the way out is chosen by priority, then by name', async (t) => {
  t.equal(chosen(endpoint('b', '4'), endpoint('a', '4')), 'a -');
  t.equal(chosen(endpoint('b', '4', 1), endpoint('a', '4')), 'b -');
  t.equal(chosen(endpoint('b', '4'), endpoint('a', '4', -1)), 'b -');
  t.equal(chosen(), '- -');
});

t.test('a network that leads out by both families is preferred; closed ones do not count', async (t) => {
  t.equal(chosen(endpoint('a', '4', 9), endpoint('b', '46')), 'b b');
  t.equal(chosen(endpoint('a', '4'), endpoint('b', '6')), 'a b');
  t.equal(chosen(endpoint('a', ''), endpoint('b', '4')), 'b -');
});
