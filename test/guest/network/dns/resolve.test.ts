import t from 'tap';
import { parseQuestion, recordTypes } from '../../../../guest/dns/message.ts';
import { answerLocally, refusal } from '../../../../guest/network/dns/resolve.ts';
import type { EndpointRecord } from '../../../../guest/network/endpoint.ts';
import { dnsQuery } from '../../../helpers/dns-messages.ts';
import { endpointOf } from '../endpoint-of.ts';

function endpoint(name: string, address: string, network = 'app', names = [name]): EndpointRecord {
  const ways = {
    ipv4: { address, prefixLength: 24, gateway: '10.0.0.1', publishing: 'nat' },
    ipv6: { address: `fd00::${address.slice(-1)}`, prefixLength: 64, gateway: 'fd00::1', publishing: 'nat' },
  } as const;
  return endpointOf({ container: name, network }, ways, { dnsNames: names });
}

const endpoints = [
  endpoint('web', '10.0.0.2', 'app', ['web', 'www']),
  endpoint('Web2', '10.0.0.3', 'app', ['Web2', 'www']),
  endpoint('far', '10.9.0.2', 'other'),
];
const asking: EndpointRecord = { ...endpoint('me', '10.0.0.9'), asked: { Links: ['web:db', 'far:x'] } };
const ask = (name: string, type: number = recordTypes.A, own = [asking], host: string | null = null) =>
  answerLocally(dnsQuery(name, type), {
    own,
    endpoints,
    host,
    shuffle: (items) => [...items].reverse(),
  });

t.test('a neighbour is found by any of its names, whatever the case', async (t) => {
  const answer = ask('WEB.app')!;
  t.equal(answer.readUInt16BE(0), 0x1234);
  t.equal(answer.readUInt16BE(2), 0x8580, 'an authoritative answer without error');
  t.equal(answer.readUInt16BE(6), 1);
  t.same([...answer.subarray(-16)], [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 0, 0, 2]);
  t.same([...ask('web2')!.subarray(-4)], [10, 0, 0, 3]);
});

t.test("the user's computer has names where there is one in front", async (t) => {
  t.equal(ask('host.docker.internal'), null, 'else somebody outside may know them');
  for (const name of ['host.docker.internal', 'Gateway.docker.internal']) {
    const answer = ask(name, recordTypes.A, [asking], '10.0.2.2')!;
    t.same([...answer.subarray(-4)], [10, 0, 2, 2]);
  }
  t.equal(ask('host.docker.internal', recordTypes.AAAA, [asking], '10.0.2.2')!.readUInt16BE(6), 0);
});

t.test('a shared alias has all addresses, in changing order', async (t) => {
  const answer = ask('www')!;
  t.equal(answer.readUInt16BE(6), 2);
  t.same([...answer.subarray(-20, -16)], [10, 0, 0, 3]);
  t.same([...answer.subarray(-4)], [10, 0, 0, 2]);
});

t.test('a known name without such records is an empty answer at once', async (t) => {
  const answer = ask('web', 15)!;
  t.equal(answer.readUInt16BE(6), 0);
  t.equal(answer[3]! & 15, 0);
});

t.test('IPv6 addresses are answered to who asks for them', async (t) => {
  const answer = ask('web', recordTypes.AAAA)!;
  t.equal(answer.readUInt16BE(6), 1);
  t.equal(answer.subarray(-16).toString('hex'), 'fd000000000000000000000000000002');
});

t.test('a link is a name for the container that has it alone, in that network alone', async (t) => {
  t.same([...ask('db')!.subarray(-4)], [10, 0, 0, 2]);
  t.same([...ask('DB.app')!.subarray(-4)], [10, 0, 0, 2]);
  t.equal(ask('x'), null, 'its container is in another network');
  t.equal(ask('db', recordTypes.A, [endpoint('other', '10.0.0.8')]), null);
});

t.test('addresses have names', async (t) => {
  const answer = ask('2.0.0.10.in-addr.arpa', recordTypes.PTR)!;
  t.equal(answer.subarray(-9).toString('latin1'), '\u0003web\u0003app\0');
  const six = `${'3.'}${'0.'.repeat(27)}0.0.d.f.ip6.arpa`;
  t.equal(ask(six, recordTypes.PTR)!.subarray(-10).toString('latin1'), '\u0004Web2\u0003app\0');
});

t.test('names of other networks, and of the world, are not ours to answer', async (t) => {
  t.equal(ask('far'), null);
  t.equal(ask('example.com'), null);
  t.equal(ask('9.9.9.9.in-addr.arpa', recordTypes.PTR), null);
  t.equal(refusal(dnsQuery('example.com', 1))![3]! & 15, 2);
});

t.test('hostile messages are no questions', async (t) => {
  const good = dnsQuery('web', 1);
  for (let length = 0; length < good.length; length++) {
    t.equal(parseQuestion(good.subarray(0, length)), null, `cut at ${length}`);
  }
  const pointer = Buffer.from(good);
  pointer[12] = 0xc0;
  t.equal(parseQuestion(pointer), null);
  const reply = Buffer.from(good);
  reply[2] = 0x81;
  t.equal(parseQuestion(reply), null);
});
