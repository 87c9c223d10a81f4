import t from 'tap';
import { parseQuestion, response } from '../../../guest/dns/message.ts';
import { addressData } from '../../../guest/dns/record-data.ts';
import { askUpstream } from '../../../guest/dns/upstream.ts';
import { dnsQuery, nameServer, readResponse } from '../../helpers/dns-messages.ts';

const say =
  (address: string, code = 0) =>
  (query: Buffer) =>
    response(query, parseQuestion(query)!, {
      code,
      records: code === 0 ? [addressData(address)] : [],
      ttlSeconds: 1,
    });

t.test('the number that the server sees is not the asker’s, whose answer has his again', async (t) => {
  const numbers = new Set<number>();
  const server = await nameServer(t, (query) => {
    numbers.add(query.readUInt16BE(0));
    return say('10.0.0.1')(query);
  });
  for (let i = 0; i < 4; i++) {
    const answer = await askUpstream(dnsQuery('web', 1), [server], 'udp');
    t.equal(answer!.readUInt16BE(0), 0x1234);
  }
  t.ok(numbers.size > 1);
});

t.test('a server that cannot say, or is not there, leaves it to the next', async (t) => {
  const refusing = await nameServer(t, say('', 5));
  const failing = await nameServer(t, say('', 2));
  const knowing = await nameServer(t, say('10.0.0.2'));
  const ask = async (...servers: string[]) => {
    const answer = await askUpstream(dnsQuery('web', 1), servers, 'whole');
    return answer && readResponse(answer);
  };
  t.match(await ask('127.0.0.1:1', refusing, failing, knowing), { code: 0, answers: ['10.0.0.2'] });
  t.match(await ask(failing, refusing), { code: 5 });
  t.equal(await ask('127.0.0.1:1'), null);
});

t.test('that there is no such name is an answer', async (t) => {
  const server = await nameServer(t, say('', 3));
  const other = await nameServer(t, say('10.0.0.2'));
  t.match(readResponse((await askUpstream(dnsQuery('web', 1), [server, other], 'udp'))!), { code: 3 });
});

t.test('an answer that was cut is asked for again by TCP, if all of it is wanted', async (t) => {
  const server = await nameServer(t, (query, transport) => {
    const answer = say(transport === 'tcp' ? '10.0.0.9' : '10.0.0.8')(query);
    if (transport === 'udp') answer[2]! |= 2;
    return answer;
  });
  const ask = async (transport: 'udp' | 'whole') =>
    readResponse((await askUpstream(dnsQuery('web', 1), [server], transport))!).answers;
  t.strictSame(await ask('whole'), ['10.0.0.9']);
  t.strictSame(await ask('udp'), ['10.0.0.8']);
});

t.test('datagrams that are no answers are not taken for one', async (t) => {
  const server = await nameServer(t, (query) => Buffer.from(query));
  const slow = askUpstream(dnsQuery('web', 1), [server], 'udp');
  t.equal(await slow, null);
});

t.test('a datagram that was lost is sent again', async (t) => {
  let heard = 0;
  const server = await nameServer(t, (query) => {
    heard += 1;
    return heard === 1 ? null : say('10.0.0.2')(query);
  });
  const answer = await askUpstream(dnsQuery('web', 1), [server], 'udp');
  t.match(readResponse(answer!), { answers: ['10.0.0.2'] });
  t.equal(heard, 2);
});
