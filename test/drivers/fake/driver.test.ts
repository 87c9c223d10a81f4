import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { Cancelled, PreCreateError, Timeout, Unavailable } from '../../../drivers/errors.ts';
import { FakeDriver, type FakeState } from '../../../drivers/fake/driver.ts';
import { testDriver } from '../../conformance/driver.ts';

t.test('driver fake keeps the promises of a driver', (t) =>
  testDriver(t, { driver: new FakeDriver(), options: {}, deadlineMs: 1000 }),
);

const driver = new FakeDriver();
const noBoot = { osImage: null, bootConfig: '{}' };

async function make(directory: string, options: Record<string, string>) {
  let last: FakeState | undefined;
  const request = { name: 'f', directory, options, osImage: null };
  const state = await driver.create(request, async (recorded) => {
    last = recorded;
  });
  return { last, machine: { name: 'f', directory, state } };
}

t.test('a failure comes in the middle of the step, so that there is something to undo', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'machine-fake-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const options = { 'fake-fail-at': 'create' };
  await t.rejects(make(directory, options), Unavailable);
  t.match(await readdir(directory), ['fake-console.log', 'fake-disk']);
  await driver.remove({ name: 'f', directory, state: { failAt: 'create', hangAt: null, url: 'tcp://h:1' } });
  t.same(await readdir(directory), []);
});

t.test('hello can be a failure with a message', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'machine-fake-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const { machine } = await make(directory, { 'fake-fail-at': 'hello' });
  const { signal } = new AbortController();
  await driver.start(machine, noBoot, { signal });
  t.match(await driver.awaitHello(machine, { signal }), { type: 'failure', message: /told to fail/ });
});

t.test('a step that hangs ends as Cancelled or, on a deadline, as Timeout', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'machine-fake-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const { machine } = await make(directory, { 'fake-hang-at': 'start' });
  const controller = new AbortController();
  const started = driver.start(machine, noBoot, { signal: controller.signal });
  controller.abort();
  await t.rejects(started, Cancelled);
  await t.rejects(driver.start(machine, noBoot, { signal: AbortSignal.timeout(5) }), Timeout);
});

t.test('an unknown step is refused before anything is made', async (t) => {
  const request = { name: 'f', directory: '/nowhere', options: { 'fake-fail-at': 'lunch' }, osImage: null };
  await t.rejects(driver.preCreate(request), PreCreateError);
});
