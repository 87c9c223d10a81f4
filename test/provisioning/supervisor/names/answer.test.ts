import t from 'tap';
import { parseQuestion, response } from '../../../../guest/dns/message.ts';
import { addressData } from '../../../../guest/dns/record-data.ts';
import { answerAsHost, isHostName, type Sources } from '../../../../provisioning/supervisor/names/answer.ts';
import { hostsFileNames } from '../../../../provisioning/supervisor/names/hosts-file.ts';
import type { Found } from '../../../../provisioning/supervisor/names/lookups.ts';
import { dnsQuery, type QueryParts, readResponse } from '../../../helpers/dns-messages.ts';

const types = { A: 1, PTR: 12, MX: 15, AAAA: 28, HTTPS: 65 } as const;
/** CNAME data. */
const thisComputer = '\u0004host\u0006docker\binternal\0';

interface Computer {
  /** What the system's resolver says of names and of addresses. */
  readonly system?: Readonly<Record<string, Found<string>>>;
  /** What name servers say: a code, or addresses. */
  readonly servers?: Readonly<Record<string, number | readonly string[]>> | null;
  readonly hosts?: readonly string[];
}

function computer({ system = {}, servers = {}, hosts = [] }: Computer) {
  const asked: string[] = [];
  const find = async (key: string) => {
    asked.push(`system ${key}`);
    return system[key] ?? 'unknown';
  };
  const sources: Sources = {
    system: { addresses: find, names: find },
    nameServers: async (query) => {
      if (servers === null) return null;
      const question = parseQuestion(query)!;
      asked.push(`servers ${question.name}`);
      const said = servers[question.name] ?? 3;
      return response(query, question, {
        code: typeof said === 'number' ? said : 0,
        records: typeof said === 'number' ? [] : said.map(addressData),
        ttlSeconds: 300,
      });
    },
    isInHostsFile: async (name) => hosts.includes(name),
  };
  const ask = async (name: string, type: number = types.A, parts: QueryParts = {}) => {
    const answer = await answerAsHost(dnsQuery(name, type, parts), sources);
    return answer && { ttl: ttlOf(answer), ...readResponse(answer) };
  };
  return { ask, asked };
}

/** Of the first record, whose name is a pointer. */
function ttlOf(answer: Buffer): number | null {
  const question = parseQuestion(Buffer.from(answer).fill(0, 2, 3))!;
  return answer.readUInt16BE(6) === 0 ? null : answer.readUInt32BE(question.end + 6);
}

t.test('addresses are those of the system’s resolver, for a short time', async (t) => {
  const { ask, asked } = computer({
    system: { 'both.test': ['10.0.0.1', 'fd00::1', '10.0.0.2'] },
    servers: { 'both.test': ['1.1.1.1'] },
  });
  t.strictSame(await ask('both.test'), { ttl: 5, code: 0, answers: ['10.0.0.1', '10.0.0.2'] });
  t.match(await ask('BOTH.test', types.AAAA), { answers: [`fd00${'0'.repeat(27)}1`] });
  t.notOk(asked.some((one) => one.startsWith('servers')));
});

t.test('a name that has addresses of the other kind only is there', async (t) => {
  const { ask } = computer({ system: { 'four.test': ['10.0.0.1'], 'zone.test': ['fe80::1%eth0'] } });
  t.match(await ask('four.test', types.AAAA), { code: 0, answers: [] });
  t.match(await ask('zone.test', types.AAAA), { code: 0, answers: [] });
});

t.test('what the system does not know, the servers say how', async (t) => {
  const { ask } = computer({ servers: { 'mail.test': [], 'public.test': ['1.1.1.1'], 'odd.test': 2 } });
  t.match(await ask('nowhere.test'), { code: 3, answers: [] });
  t.match(await ask('mail.test'), { code: 0, answers: [] }, 'the name is there, without addresses');
  t.match(await ask('public.test'), { code: 3 }, 'this computer does not know it all the same');
  t.match(await ask('odd.test'), { code: 3 });
  t.match(await computer({ servers: null }).ask('nowhere.test'), { code: 3 });
});

t.test('what cannot be said now may be known the next time', async (t) => {
  const { ask } = computer({ system: { 'later.test': 'failed' }, servers: { 'later.test': ['1.1.1.1'] } });
  t.match(await ask('later.test'), { code: 2, answers: [] });
});

t.test('a name that only this computer has at its loopback is this computer', async (t) => {
  const { ask } = computer({
    system: {
      'app.test': ['127.0.0.1'],
      'six.test': ['::1'],
      'resolved.test': ['127.0.0.1'],
      'own-computer': ['127.0.1.1', '192.168.1.7'],
    },
    servers: { 'resolved.test': ['127.0.0.1'] },
    hosts: ['resolved.test'],
  });
  for (const name of ['app.test', 'six.test', 'resolved.test'])
    t.match(await ask(name), { code: 0, answers: [thisComputer] }, name);
  t.match(await ask('own-computer'), { code: 0, answers: ['192.168.1.7'] });
});

t.test('a name that the world has with a loopback address keeps it', async (t) => {
  const { ask } = computer({
    system: { '2.0.0.127.list.test': ['127.0.0.2'], 'me.test': ['127.0.0.1', '::1'] },
    servers: { '2.0.0.127.list.test': ['127.0.0.2'], 'me.test': ['127.0.0.1'] },
  });
  t.strictSame(await ask('2.0.0.127.list.test'), { ttl: 300, code: 0, answers: ['127.0.0.2'] });
  t.match(await ask('me.test'), { code: 0, answers: ['127.0.0.1'] });
});

t.test('a name that is blocked by 0.0.0.0 stays blocked', async (t) => {
  const { ask } = computer({ system: { 'ads.test': ['0.0.0.0'] } });
  t.match(await ask('ads.test'), { code: 0, answers: ['0.0.0.0'] });
});

t.test('addresses have names by the system’s resolver, or by the servers', async (t) => {
  const { ask, asked } = computer({ system: { '10.0.0.1': ['web.test'] } });
  t.match(await ask('1.0.0.10.in-addr.arpa', types.PTR), {
    ttl: 5,
    code: 0,
    answers: ['\u0003web\u0004test\0'],
  });
  t.match(await ask('9.0.0.10.in-addr.arpa', types.PTR), { code: 3 });
  t.match(await ask('999.0.0.10.in-addr.arpa', types.PTR), { code: 3 });
  t.notOk(asked.includes('system 10.0.0.999'));
});

t.test('other records are the servers’, but a name of the hosts file is there', async (t) => {
  const { ask, asked } = computer({
    system: { 'hosts.test': ['10.0.0.1'] },
    servers: { 'mail.test': ['1.2.3.4'], 'none.test': [] },
  });
  t.strictSame(await ask('mail.test', types.MX), {
    ttl: 300,
    code: 0,
    answers: ['\u0001\u0002\u0003\u0004'],
  });
  t.match(await ask('none.test', types.MX), { code: 0, answers: [] });
  t.notOk(asked.some((one) => one.startsWith('system')));
  t.match(await ask('hosts.test', types.HTTPS), { code: 0, answers: [] });
  t.match(await ask('nowhere.test', types.HTTPS), { code: 3 });
  t.match(await computer({ servers: null }).ask('mail.test', types.MX), { code: 2 });
});

t.test('who checks signatures gets the servers’ own answer', async (t) => {
  const { ask } = computer({
    system: { 'signed.test': ['10.0.0.1'] },
    servers: { 'signed.test': ['1.1.1.1'] },
  });
  t.match(await ask('signed.test', types.A, { dnssec: true }), { answers: ['1.1.1.1'] });
  t.match(await ask('signed.test', types.A, { payloadBytes: 1232 }), { answers: ['10.0.0.1'] });
});

t.test('the system’s resolver gets names of hosts only', async (t) => {
  for (const name of ['web', '_dmarc.example', 'xn--bcher-kva.example', '1.2.3.example', 'a-.b'])
    t.ok(isHostName(name), name);
  const { ask, asked } = computer({});
  for (const name of [
    '',
    '127.1',
    '0x7f000001',
    '1',
    'a b.test',
    'a\0b.test',
    'a%b',
    'ü.test',
    'x/y',
    '$(id)',
    'a:1',
  ])
    t.match(await ask(name), { code: 3 }, JSON.stringify(name));
  const dotted = dnsQuery('abc.test', 1);
  dotted[14] = 0x2e;
  t.notOk(isHostName(parseQuestion(dotted)!.name));
  t.strictSame(
    asked.filter((one) => one.startsWith('system')),
    [],
  );
});

t.test('a hosts file has names in any case, comments, and line ends of Windows', async (t) => {
  const names = hostsFileNames('127.0.0.1 localhost\r\n# 1.1.1.1 no\n10.0.0.1\tWeb.Test  web # also\n\n::1');
  t.strictSame([...names], ['localhost', 'web.test', 'web']);
});
