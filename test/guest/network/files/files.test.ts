import t from 'tap';
import { formatSubnet } from '../../../../guest/ip.ts';
import { parseRoutes, routedBy } from '../../../../guest/network/addressing/host-routes.ts';
import { hostEntries } from '../../../../guest/network/files/host-names.ts';
import { appendHosts, parseExtraHosts, renderHosts } from '../../../../guest/network/files/hosts-file.ts';
import {
  containerResolver,
  parseResolvConf,
  renderResolvConf,
} from '../../../../guest/network/files/resolv-conf.ts';

const nothing = { servers: [], search: [], options: [] };

t.test('hosts has loopback, extra hosts, then the own names', async (t) => {
  const extra = parseExtraHosts(
    ['db:10.0.0.5', 'host.docker.internal:host-gateway', 'six:[fd00::1]'],
    '172.17.0.1',
  );
  const text = renderHosts(extra, [{ address: '172.17.0.2', names: ['web.example', 'web'] }]);
  t.match(text, /^127\.0\.0\.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n/);
  t.ok(
    text.endsWith(
      '10.0.0.5\tdb\n172.17.0.1\thost.docker.internal\nfd00::1\tsix\n172.17.0.2\tweb.example web\n',
    ),
  );
  t.equal(appendHosts('1.1.1.1 x', extra.slice(0, 1)), '1.1.1.1 x\n10.0.0.5\tdb\n');
});

t.test("the names of the user's computer are one line, without those that are given away", async (t) => {
  t.strictSame(hostEntries(null, []), []);
  t.strictSame(hostEntries('10.0.2.2', []), [
    { address: '10.0.2.2', names: ['host.docker.internal', 'gateway.docker.internal'] },
  ]);
  const asked = parseExtraHosts(['host.docker.internal:1.2.3.4'], null);
  t.strictSame(hostEntries('10.0.2.2', asked), [{ address: '10.0.2.2', names: ['gateway.docker.internal'] }]);
});

t.test('the link towards an address is that of the longest prefix', async (t) => {
  const line = (link: string, base: string, mask: string) =>
    [link, base, '00000000', '0001', '0', '0', '0', mask, '0', '0', '0'].join('\t');
  const text = [
    'Iface\t...',
    line('eth0', '00000000', '00000000'),
    line('eth1', '0002000A', '00FFFFFF'),
    '',
  ].join('\n');
  t.equal(routedBy(text, '10.0.2.2'), 'eth1');
  t.equal(routedBy(text, '192.0.2.1'), 'eth0');
  t.equal(routedBy('Iface\t...\n', '10.0.2.2'), null);
});

t.test('an extra host that is none, or would add lines, is refused', async (t) => {
  for (const pair of ['db', ':1.2.3.4', 'db:', 'db:nowhere', 'a b:1.2.3.4', 'a\n6.6.6.6 b:1.2.3.4']) {
    t.throws(() => parseExtraHosts([pair], null), { name: 'InvalidParameter' }, JSON.stringify(pair));
  }
  t.throws(() => parseExtraHosts(['h:host-gateway'], null), { message: /no gateway/ });
});

t.test("the host's resolver settings are passed on, without servers a container cannot reach", async (t) => {
  const host = parseResolvConf(
    '# c\nnameserver 127.0.0.53\nnameserver 10.0.0.1\nnameserver fd00::1\nsearch a b\ndomain c\noptions ndots:2 edns0\n',
  );
  t.equal(
    renderResolvConf(containerResolver(host, nothing, ['9.9.9.9'])),
    'nameserver 10.0.0.1\nsearch c\noptions ndots:2 edns0\n',
  );
  t.equal(renderResolvConf(containerResolver(nothing, nothing, ['9.9.9.9'])), 'nameserver 9.9.9.9\n');
});

t.test('what was asked for wins, and a lone dot means no search list', async (t) => {
  const host = { servers: ['10.0.0.1'], search: ['corp'], options: ['edns0'] };
  const asked = { servers: ['1.1.1.1'], search: ['.'], options: ['ndots:1'] };
  t.equal(renderResolvConf(containerResolver(host, asked, [])), 'nameserver 1.1.1.1\noptions ndots:1\n');
  t.throws(() => containerResolver(host, { ...nothing, servers: ['x'] }, []), { name: 'InvalidParameter' });
  t.throws(() => containerResolver(host, { ...nothing, search: ['a\nb'] }, []), { name: 'InvalidParameter' });
});

t.test('routes of the host are read from the kernel table, without the default route', async (t) => {
  const text =
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n' +
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n' +
    'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n' +
    'wg0\t0A000A0A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n';
  t.strictSame(parseRoutes(text).map(formatSubnet), ['192.0.2.0/24', '10.10.0.10/32']);
});
