import { Duplex, PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { readMessages, withLength } from '../../../../guest/dns/framing.ts';
import { parseQuestion, response } from '../../../../guest/dns/message.ts';
import { addressData, nameData } from '../../../../guest/dns/record-data.ts';
import { HostStream } from '../../../../guest/network/dns/host-stream.ts';
import { MachineResolver } from '../../../../guest/network/dns/machine-resolver.ts';
import { dnsQuery, nameServer, readResponse } from '../../../helpers/dns-messages.ts';

/** A host whose answers the test gives, and the engine's end of its connection. */
function hostSaying(answer: (query: Buffer) => Buffer | null | Promise<Buffer | null>) {
  const [toHost, toEngine] = [new PassThrough(), new PassThrough()];
  const end = Duplex.from({ readable: toEngine, writable: toHost });
  const asked: Buffer[] = [];
  readMessages(toHost, (query) => {
    asked.push(query);
    void Promise.resolve(answer(query)).then((said) => said && toEngine.write(withLength(said)));
  });
  return { end, asked };
}

const say = (address: string) => (query: Buffer) =>
  response(query, parseQuestion(query)!, { code: 0, records: [addressData(address)], ttlSeconds: 5 });

function resolverWith(host: HostStream, otherwise = '127.0.0.1:1') {
  const resolver = new MachineResolver({
    address: '10.0.2.53',
    ...{ otherwise, hostAddress: '10.0.2.2', host },
  });
  return async (name: string, type = 1, asker = 'a') => {
    const answer = await resolver.answer(dnsQuery(name, type), asker, 'udp');
    return answer && { id: answer.readUInt16BE(0), ...readResponse(answer) };
  };
}

t.test('the host is asked, with numbers of our own', async (t) => {
  const stream = new HostStream({ expectedWithinMs: 0 });
  const { end, asked } = hostSaying(say('10.9.9.9'));
  stream.serve(end);
  const ask = resolverWith(stream);
  const answers = await Promise.all([ask('one.test'), ask('two.test')]);
  for (const answer of answers) t.match(answer, { id: 0x1234, code: 0, answers: ['10.9.9.9'] });
  t.not(asked[0]!.readUInt16BE(0), asked[1]!.readUInt16BE(0));
});

t.test('answers come in any order', async (t) => {
  const stream = new HostStream({ expectedWithinMs: 0 });
  const { end } = hostSaying(async (query) => {
    const { name } = parseQuestion(query)!;
    if (name === 'slow.test') await delay(50);
    return say(name === 'slow.test' ? '10.0.0.1' : '10.0.0.2')(query);
  });
  stream.serve(end);
  const ask = resolverWith(stream);
  const order: string[] = [];
  await Promise.all(
    ['slow.test', 'fast.test'].map(async (name) => order.push(`${name} ${(await ask(name))!.answers}`)),
  );
  t.strictSame(order, ['fast.test 10.0.0.2', 'slow.test 10.0.0.1']);
});

t.test('without a host the other server is asked, and with one again that', async (t) => {
  const otherwise = await nameServer(t, say('10.1.1.1'));
  const stream = new HostStream({ expectedWithinMs: 0 });
  const ask = resolverWith(stream, otherwise);
  t.match(await ask('web.test'), { answers: ['10.1.1.1'] });
  const { end } = hostSaying(say('10.2.2.2'));
  stream.serve(end);
  t.match(await ask('web.test'), { answers: ['10.2.2.2'] });
  const silent = hostSaying(() => null);
  stream.serve(silent.end);
  t.ok(end.destroyed, 'a newer host takes the place of an older one');
  const waiting = ask('web.test');
  await delay(10);
  silent.end.destroy();
  t.match(await waiting, { answers: ['10.1.1.1'] }, 'one that goes leaves its questions to the other server');
});

t.test('the first host is waited for', async (t) => {
  const stream = new HostStream({ expectedWithinMs: 5000 });
  const waiting = resolverWith(stream)('web.test');
  await delay(20);
  stream.serve(hostSaying(say('10.2.2.2')).end);
  t.match(await waiting, { answers: ['10.2.2.2'] });
});

t.test('nobody there is a failure that may pass', async (t) => {
  t.match(await resolverWith(new HostStream({ expectedWithinMs: 0 }))('web.test'), { code: 2, answers: [] });
});

t.test('names of the asker itself and of the host go nowhere', async (t) => {
  const ask = resolverWith(new HostStream({ expectedWithinMs: 0 }));
  t.match(await ask('localhost'), { code: 0, answers: ['127.0.0.1'] });
  t.match(await ask('app.LOCALHOST', 28), { code: 0, answers: [`${'0'.repeat(31)}1`] });
  t.match(await ask('localhost', 15), { code: 0, answers: [] });
  t.match(await ask('1.0.0.127.in-addr.arpa', 12), { answers: ['\tlocalhost\0'] });
  t.match(await ask('host.docker.internal'), { code: 0, answers: ['10.0.2.2'] });
  t.match(await ask('gateway.docker.internal', 28), { code: 0, answers: [] });
});

t.test('a host that answers with its own name is at its address in the machine', async (t) => {
  const stream = new HostStream({ expectedWithinMs: 0 });
  const alias = (query: Buffer) =>
    response(query, parseQuestion(query)!, {
      ...{ code: 0, ttlSeconds: 5, type: 5 },
      records: [nameData(parseQuestion(query)!.name === 'other.test' ? 'x.test' : 'host.docker.internal')],
    });
  stream.serve(hostSaying(alias).end);
  const ask = resolverWith(stream);
  t.match(await ask('my.test'), { id: 0x1234, code: 0, answers: ['10.0.2.2'] });
  t.match(await ask('my.test', 28), { code: 0, answers: [] });
  t.match(await ask('other.test'), { answers: ['\u0001x\u0004test\0'] });
});

t.test('one container that floods waits for its own questions, and others do not', async (t) => {
  const stream = new HostStream({ expectedWithinMs: 0 });
  const held: (() => void)[] = [];
  const { end, asked } = hostSaying((query) =>
    parseQuestion(query)!.name === 'web.test'
      ? say('10.0.0.1')(query)
      : new Promise((resolve) => held.push(() => resolve(say('10.0.0.2')(query)))),
  );
  stream.serve(end);
  const ask = resolverWith(stream);
  const flood = Array.from({ length: 1000 }, (_, i) => ask(`n${i}.test`, 1, 'hostile'));
  t.match(await Promise.race(flood), { code: 2 }, 'too many are refused');
  await delay(20);
  t.equal(asked.length, 4, 'of what is not refused, a few are asked');
  t.match(await ask('web.test', 1, 'other'), { answers: ['10.0.0.1'] });
  const codes = Promise.all(flood).then((answers) => answers.map((answer) => answer!.code));
  while (asked.length < 129 || held.length > 0) {
    held.shift()?.();
    await delay(1);
  }
  t.equal((await codes).filter((code) => code === 0).length, 128);
  t.match(await ask('web.test', 1, 'hostile'), { code: 0 }, 'and nothing is left of it');
});

t.test('all containers together are bounded, too', async (t) => {
  const stream = new HostStream({ expectedWithinMs: 0 });
  const { end } = hostSaying(() => null);
  stream.serve(end);
  const ask = resolverWith(stream, '127.0.0.1:1');
  const flood = Array.from({ length: 520 }, (_, i) => ask('web.test', 1, `container ${i}`));
  t.match(await Promise.race(flood), { code: 2 });
  end.destroy();
  await Promise.all(flood);
});

t.test('what is no query has no answer', async (t) => {
  const resolver = new MachineResolver({
    ...{ address: '10.0.2.53', otherwise: '127.0.0.1:1', hostAddress: '10.0.2.2' },
    host: new HostStream({ expectedWithinMs: 0 }),
  });
  t.equal(await resolver.answer(Buffer.alloc(3), 'a', 'udp'), null);
  const long = Buffer.concat([dnsQuery('web.test', 1), Buffer.alloc(5000)]);
  t.equal(await resolver.answer(long, 'a', 'tcp'), null);
});

t.test('a host that says nonsense settles nothing and breaks nothing', async (t) => {
  const otherwise = await nameServer(t, say('10.1.1.1'));
  const stream = new HostStream({ expectedWithinMs: 0 });
  const toEngine = new PassThrough();
  const end = Duplex.from({ readable: toEngine, writable: new PassThrough() });
  stream.serve(end);
  const waiting = resolverWith(stream, otherwise)('web.test');
  toEngine.write(withLength(Buffer.from([1, 2, 3])));
  toEngine.write(withLength(Buffer.alloc(40, 0xff)));
  await delay(10);
  toEngine.end();
  t.match(await waiting, { answers: ['10.1.1.1'] });
});
