import t from 'tap';
import { createEventBus, rememberedEvents, type StampedEvent } from '../../../guest/events/bus.ts';
import { eventFilter } from '../../../guest/events/filter.ts';

const event = (
  action: string,
  attributes: Record<string, string> = {},
  type: StampedEvent['type'] = 'container',
) => ({
  type,
  action,
  actor: { id: 'abcdef', attributes },
});

t.test('times grow even when the clock does not', async (t) => {
  const bus = createEventBus(() => 1000);
  bus.publish(event('create'));
  bus.publish(event('start'));
  t.same(
    bus.history().map(({ timeNano }) => timeNano),
    [1_000_000_000n, 1_000_000_001n],
  );
});

t.test('the last events are remembered, and no more', async (t) => {
  const bus = createEventBus();
  for (let i = 0; i < rememberedEvents + 10; i++) bus.publish(event(`${i}`));
  t.equal(bus.history().length, rememberedEvents);
  t.equal(bus.history().at(-1)?.action, `${rememberedEvents + 9}`);
});

t.test('a subscriber hears what comes until it leaves', async (t) => {
  const bus = createEventBus();
  const heard: string[] = [];
  const leave = bus.subscribe(({ action }) => heard.push(action));
  bus.publish(event('a'));
  leave();
  bus.publish(event('b'));
  t.same(heard, ['a']);
  t.equal(bus.listenerCount(), 0);
});

t.test("filters choose as dockerd's do", async (t) => {
  const passes = (filters: Record<string, string[]>, wanted: ReturnType<typeof event>) =>
    eventFilter(new Map(Object.entries(filters)))({ ...wanted, timeNano: 0n });
  const start = event('start', { name: 'web', image: 'busybox:latest', tier: 'front' });
  t.ok(passes({}, start));
  t.ok(passes({ event: ['start', 'die'] }, start), 'values of one filter are alternatives');
  t.notOk(passes({ event: ['start'], type: ['image'] }, start), 'several filters must all pass');
  t.ok(passes({ event: ['exec_create'] }, event('exec_create: sh -c true')));
  t.notOk(passes({ event: ['exec'] }, event('exec_create: sh')));
  for (const word of ['abc', 'we', 'web']) t.ok(passes({ container: [word] }, start), word);
  t.notOk(passes({ container: ['x'] }, start));
  for (const word of ['busybox', 'busybox:latest']) t.ok(passes({ image: [word] }, start), word);
  t.ok(passes({ label: ['tier'] }, start) && passes({ label: ['tier=front'] }, start));
  t.notOk(passes({ label: ['tier', 'tier=back'] }, start), 'every label must be there');
  t.throws(() => eventFilter(new Map([['color', ['red']]])), {
    message: "invalid filter 'color'",
    httpStatus: 400,
  });
});
