import t from 'tap';
import { innerPlaces, meet } from '../../../../provisioning/supervisor/ports/inner-places.ts';

t.test(
  'the ways of relays are at addresses of their own, else at the one that every system has',
  async (t) => {
    const places = innerPlaces('udp');
    t.ok(places.every(({ protocol }) => protocol === 'udp'));
    const own = places.filter(({ hostAddress }) => hostAddress !== '127.0.0.1');
    t.strictSame(
      own.map(({ hostPort }) => hostPort),
      [62_731, 62_732, 62_733, 62_734, 62_735],
    );
    for (const { hostAddress } of own)
      t.match(hostAddress, /^127\.(6[4-9]|[7-9]\d|1\d\d|2[0-4]\d|25[0-4])\.\d+\.\d+$/);
    t.strictSame(places.slice(0, own.length), own, 'which come first');
    for (const { hostPort } of places) t.ok(hostPort > 60_999 && hostPort < 64_738);
    t.equal(innerPlaces('tcp', () => 0)[0]!.hostAddress, '127.64.0.1');
    t.equal(innerPlaces('tcp', () => 0.9999)[0]!.hostAddress, '127.254.255.254');
  },
);

t.test('who cannot both listen', async (t) => {
  const at = (hostAddress: string, hostPort = 80, protocol: 'tcp' | 'udp' = 'tcp') => ({
    protocol,
    hostAddress,
    hostPort,
  });
  t.ok(meet(at('127.0.0.1'), at('127.0.0.1')));
  t.ok(meet(at('127.9.9.9'), at('0.0.0.0')));
  t.ok(meet(at('::'), at('::1')));
  t.notOk(meet(at('127.0.0.1'), at('127.0.0.2')));
  t.notOk(meet(at('0.0.0.0'), at('::')), 'IPv6 is listened at without IPv4');
  t.notOk(meet(at('127.0.0.1'), at('127.0.0.1', 81)));
  t.notOk(meet(at('127.0.0.1'), at('127.0.0.1', 80, 'udp')));
});
