import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { SharedMonitors } from '../../../drivers/qemu/monitors.ts';
import { FakeQmp } from './fake-qmp.ts';

const never = new AbortController().signal;

t.test('several share one connection, and each gets its own answers', async (t) => {
  await using qemu = await FakeQmp.open({
    answer: (command, send) => send({ return: { said: command.execute }, id: command.id }),
  });
  const monitors = new SharedMonitors();
  await using one = await monitors.lease({ path: qemu.path }, never);
  await using two = await monitors.lease({ path: qemu.path }, never);
  t.equal(one.client, two.client);
  t.same(await Promise.all([one.client.execute('a'), two.client.execute('b')]), [
    { said: 'a' },
    { said: 'b' },
  ]);
  t.equal(qemu.commands.filter(({ execute }) => execute === 'qmp_capabilities').length, 1);
});

t.test('the last one closes it, and the next one opens another', async (t) => {
  await using qemu = await FakeQmp.open();
  const monitors = new SharedMonitors();
  const one = await monitors.lease({ path: qemu.path }, never);
  const two = await monitors.lease({ path: qemu.path }, never);
  await one[Symbol.asyncDispose]();
  const open = await Promise.race([one.client.closed.then(() => 'closed'), delay(50, 'open')]);
  t.equal(open, 'open');
  await two[Symbol.asyncDispose]();
  await two.client.closed;
  await using three = await monitors.lease({ path: qemu.path }, never);
  t.not(three.client, one.client);
});

t.test('who waits for its end is told of it, or of the own signal', async (t) => {
  const qemu = await FakeQmp.open();
  const monitors = new SharedMonitors();
  await using lease = await monitors.lease({ path: qemu.path }, never);
  const ended = new AbortController();
  const waiting = lease.whenClosed(ended.signal);
  ended.abort(new Error('enough'));
  await t.rejects(waiting, { message: 'enough' });
  const off = lease.whenClosed(never);
  await qemu[Symbol.asyncDispose]();
  await off;
});

t.test('a connection that fails is not kept', async (t) => {
  const monitors = new SharedMonitors();
  await t.rejects(monitors.lease({ path: '/nowhere.sock' }, never));
  await using qemu = await FakeQmp.open();
  await using lease = await monitors.lease({ path: qemu.path }, never);
  t.ok(lease.client);
});
