import t from 'tap';
import { fitDatagram } from '../../../guest/dns/fit-datagram.ts';
import {
  answerCount,
  ednsOf,
  isTruncated,
  parseQuestion,
  recordsOf,
  recordTypes,
  response,
} from '../../../guest/dns/message.ts';
import { addressData } from '../../../guest/dns/record-data.ts';
import { dnsQuery, readResponse } from '../../helpers/dns-messages.ts';

const manyAddresses = Array.from({ length: 100 }, (_, i) => addressData(`10.0.0.${i}`));

function answerTo(query: Buffer, records: readonly Buffer[]): Buffer {
  return response(query, parseQuestion(query)!, { code: 0, records, ttlSeconds: 5 });
}

t.test('a dot inside a label is no end of a label', async (t) => {
  const query = dnsQuery('abc.test', 1);
  query[14] = 0x2e;
  t.equal(parseQuestion(query)!.name, 'a\\.c.test');
});

t.test('a response has the name as it was asked, case and all', async (t) => {
  const query = dnsQuery('WwW.eXample', 1);
  t.equal(parseQuestion(query)!.name, 'www.example');
  t.match(answerTo(query, []).toString('latin1'), /WwW.eXample/);
});

t.test('who speaks EDNS is answered by EDNS', async (t) => {
  const query = dnsQuery('web', 1, { payloadBytes: 4096, dnssec: true });
  t.strictSame(ednsOf(query, parseQuestion(query)!), { payloadBytes: 4096, dnssec: true });
  const answer = answerTo(query, [addressData('10.0.0.1')]);
  t.strictSame(
    [...recordsOf(answer, parseQuestion(query)!)].map(({ type }) => type),
    [recordTypes.A, recordTypes.OPT],
  );
  const plain = dnsQuery('web', 1);
  t.equal(ednsOf(plain, parseQuestion(plain)!), null);
  t.equal(answerTo(plain, []).readUInt16BE(10), 0);
});

t.test('a response that fits a datagram is left as it is', async (t) => {
  const query = dnsQuery('web', 1);
  const answer = answerTo(query, manyAddresses.slice(0, 20));
  t.equal(fitDatagram(answer, query), answer);
  const large = dnsQuery('web', 1, { payloadBytes: 4096 });
  t.notOk(isTruncated(fitDatagram(answerTo(large, manyAddresses), large)));
});

t.test('one that does not is cut between records, and says so', async (t) => {
  for (const [parts, most] of [
    [{}, 512],
    [{ payloadBytes: 100 }, 512],
    [{ payloadBytes: 800 }, 800],
  ] as const) {
    const query = dnsQuery('web', 1, parts);
    const cut = fitDatagram(answerTo(query, manyAddresses), query);
    t.ok(isTruncated(cut));
    t.ok(cut.length <= most && cut.length > most - 28, `${cut.length} of ${most}`);
    t.equal(readResponse(cut).answers.length, answerCount(cut));
    const ends = [...recordsOf(cut, parseQuestion(query)!)].map(({ end }) => end);
    t.equal(ends.at(-1), cut.length, 'nothing is left over');
    t.equal('payloadBytes' in parts, ends.length > answerCount(cut));
  }
});

t.test('a response that is no message is cut to its question', async (t) => {
  const query = dnsQuery('web', 1);
  const broken = answerTo(query, manyAddresses);
  broken.fill(0x3f, 21);
  const cut = fitDatagram(broken, query);
  t.equal(cut.length, query.length);
  t.equal(answerCount(cut), 0);
});
