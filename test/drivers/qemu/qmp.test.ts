import t from 'tap';
import { Unavailable } from '../../../drivers/errors.ts';
import { QmpClient, QmpError, type QmpEvent } from '../../../drivers/qemu/qmp.ts';
import { FakeQmp } from './fake-qmp.ts';

const soon = () => ({ signal: AbortSignal.timeout(5000) });

t.test('a connection is greeted and its capabilities negotiated before anything is asked', async (t) => {
  await using qemu = await FakeQmp.open();
  await using client = await QmpClient.connect(qemu, soon());
  await client.execute('query-status');
  t.match(qemu.commands, [{ execute: 'qmp_capabilities' }, { execute: 'query-status' }]);
});

t.test('answers find their command by id, in whatever order they come', async (t) => {
  const held: (() => void)[] = [];
  await using qemu = await FakeQmp.open({
    answer: (command, send) => {
      if (command.execute === 'qmp_capabilities') return send({ return: {}, id: command.id });
      held.unshift(() => send({ return: command.execute, id: command.id }));
      if (held.length === 2) for (const release of held) release();
    },
  });
  await using client = await QmpClient.connect(qemu, soon());
  t.same(await Promise.all([client.execute('first'), client.execute('second', { a: 1 })]), [
    'first',
    'second',
  ]);
  t.same(qemu.commands.at(-1)?.arguments, { a: 1 });
});

t.test("a refusal is an error with QEMU's class and words", async (t) => {
  await using qemu = await FakeQmp.open({
    answer: ({ execute, id }, send) =>
      execute === 'qmp_capabilities'
        ? send({ return: {}, id })
        : send({ error: { class: 'CommandNotFound', desc: 'no such thing' }, id }),
  });
  await using client = await QmpClient.connect(qemu, soon());
  const refused = await client.execute('dance').catch((error: unknown) => error);
  t.type(refused, QmpError);
  t.match(refused, { class: 'CommandNotFound', message: 'QEMU refused dance: no such thing' });
});

t.test('events come between answers, and end with the connection', async (t) => {
  const qemu = await FakeQmp.open();
  const client = await QmpClient.connect(qemu, soon());
  const seen: QmpEvent[] = [];
  const reading = (async () => {
    for await (const event of client.events()) {
      seen.push(event);
      if (event.event === 'SHUTDOWN') await qemu[Symbol.asyncDispose]();
    }
  })();
  qemu.send({ event: 'STOP', timestamp: { seconds: 1, microseconds: 2 } });
  qemu.send({ event: 'SHUTDOWN', data: { guest: true } });
  await reading;
  await client.closed;
  t.same(seen, [
    { event: 'STOP', data: {} },
    { event: 'SHUTDOWN', data: { guest: true } },
  ]);
});

t.test('when QEMU ends, what was asked fails and what is asked later fails too', async (t) => {
  await using qemu = await FakeQmp.open({
    answer: ({ execute, id }, send, socket) =>
      execute === 'qmp_capabilities' ? send({ return: {}, id }) : socket.destroy(),
  });
  await using client = await QmpClient.connect(qemu, soon());
  await t.rejects(client.execute('quit'), Unavailable);
  await t.rejects(client.execute('query-status'), Unavailable);
});

t.test('a socket that talks something else is not waited for', async (t) => {
  await using qemu = await FakeQmp.open({ greeting: 'SSH-2.0-dropbear' });
  await t.rejects(QmpClient.connect(qemu, soon()), Unavailable);
});

t.test('a QEMU that is busy with another client is waited for only until the deadline', async (t) => {
  await using qemu = await FakeQmp.open({ greeting: '' });
  await t.rejects(QmpClient.connect(qemu, { signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' });
});

t.test('a socket that is not there: an error with once, waited for without', async (t) => {
  await using qemu = await FakeQmp.open();
  const nowhere = { path: `${qemu.path}.other` };
  await t.rejects(QmpClient.connect(nowhere, { ...soon(), once: true }), { code: 'ENOENT' });
  await t.rejects(QmpClient.connect(nowhere, { signal: AbortSignal.timeout(30) }));
});
