import t from 'tap';
import {
  contains,
  formatAddress,
  formatSubnet,
  isLoopback,
  overlaps,
  parseAddress,
  parseSubnet,
} from '../../guest/ip.ts';

t.test('addresses are read and written as they are commonly written', async (t) => {
  const same = ['0.0.0.0', '255.255.255.255', '::', '::1', 'fd00::', 'fd00:1::2', '1:0:2::3', '1::2:0:0:3'];
  for (const text of [...same, '1:2:3:4:5:6:7:8', 'fe80::1:0']) {
    t.equal(formatAddress(parseAddress(text)!), text);
  }
  t.equal(formatAddress(parseAddress('FD00:0:0:0:0:0:0:00A')!), 'fd00::a');
  t.equal(formatAddress(parseAddress('::ffff:1.2.3.4')!), '::ffff:102:304');
  t.equal(formatAddress(parseAddress('1:0:0:2:3:4:0:0')!), '1::2:3:4:0:0');
});

t.test('what is no address is none', async (t) => {
  const wrong = [
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.04',
    '1.2.3.x',
    '',
    ':',
    'fe80::1%eth0',
    '1::2::3',
  ];
  for (const text of wrong) t.equal(parseAddress(text), null, text);
});

t.test('blocks are written by their first address', async (t) => {
  t.equal(formatSubnet(parseSubnet('10.1.2.3/16')), '10.1.0.0/16');
  t.equal(formatSubnet(parseSubnet('fd00:1:2:3::9/48')), 'fd00:1:2::/48');
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/8/8', 'fd00::/129', '10.0.0.0/', '/8']) {
    t.throws(() => parseSubnet(text), { name: 'InvalidParameter' }, text);
  }
});

t.test('families do not mix', async (t) => {
  t.notOk(overlaps(parseSubnet('0.0.0.0/0'), parseSubnet('::/0')));
  t.ok(overlaps(parseSubnet('fd00::/8'), parseSubnet('fd12::/64')));
  t.notOk(contains(parseSubnet('::/96'), parseAddress('1.2.3.4')!));
  t.same(
    ['127.9.9.9', '::1', '1.2.3.4', '::2'].map((text) => isLoopback(parseAddress(text)!)),
    [true, true, false, false],
  );
});
