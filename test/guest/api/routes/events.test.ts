import { once } from 'node:events';
import t from 'tap';
import { eventsRoutes } from '../../../../guest/api/routes/events.ts';
import { createEventBus } from '../../../../guest/events/bus.ts';
import { ask, dial, serve } from '../client.ts';

const create = {
  type: 'container',
  action: 'create',
  actor: { id: 'abc', attributes: { image: 'busybox', name: 'web' } },
} as const;

t.test('an event has the fields of today and of old clients, and all digits of its time', async (t) => {
  const bus = createEventBus(() => 1_700_000_000_123);
  bus.publish(create);
  bus.publish({ type: 'network', action: 'connect', actor: { id: 'n', attributes: {} } });
  const { path } = await serve(t, eventsRoutes(bus));
  const { body } = await ask(path, 'GET /events?since=0&until=1');
  t.notMatch(body, 'create', 'later than until');
  const replay = await ask(path, 'GET /events?since=1700000000&until=1700000001');
  t.equal(
    chunks(replay.body),
    '{"status":"create","id":"abc","from":"busybox","Type":"container","Action":"create",' +
      '"Actor":{"ID":"abc","Attributes":{"image":"busybox","name":"web"}},"scope":"local",' +
      '"time":1700000000,"timeNano":1700000000123000000}\n' +
      '{"Type":"network","Action":"connect","Actor":{"ID":"n","Attributes":{}},"scope":"local",' +
      '"time":1700000000,"timeNano":1700000000123000001}\n',
  );
});

t.test('live events come as they happen and nobody listens after the client left', async (t) => {
  const bus = createEventBus();
  const { path } = await serve(t, eventsRoutes(bus));
  const socket = await dial(path);
  socket.write('GET /events?filters={"event":["create"]} HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(String((await once(socket, 'data'))[0]), '200 OK', 'the header does not wait for an event');
  bus.publish({ ...create, action: 'start' });
  bus.publish(create);
  const [line] = await once(socket, 'data');
  t.match(String(line), '"status":"create"');
  socket.destroy();
  while (bus.listenerCount() > 0) await new Promise(setImmediate);
});

t.test('times and filters that make no sense are refused', async (t) => {
  const { path } = await serve(t, eventsRoutes(createEventBus()));
  for (const query of [
    'since=yesterday',
    'until=-1',
    'filters={"color":["red"]}',
    'filters=[1]',
    'filters=x',
  ])
    t.match(await ask(path, `GET /events?${query}`), { status: 400 }, query);
});

/** Joins the pieces of a chunked body. */
function chunks(body: string): string {
  return body.replace(/(^|\r\n)[0-9a-f]+\r\n/g, '').replace(/\r\n$/, '');
}
