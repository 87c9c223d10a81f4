import t, { type Test } from 'tap';
import { WentOff } from '../../drivers/errors.ts';
import { FakeDriver, type FakeState } from '../../drivers/fake/driver.ts';
import { MachineStore } from '../../provisioning/machine-store.ts';
import { storePaths } from '../../provisioning/paths.ts';
import { powerOn } from '../../provisioning/power-on.ts';
import { silent } from '../../provisioning/progress.ts';
import { exampleRecord } from './example-record.ts';

const { signal } = new AbortController();

/** Powers on a machine that goes off before hello as often as said; what happened, in order. */
async function powerOnAfter(t: Test, times: number): Promise<{ error: unknown; events: string[] }> {
  const store = new MachineStore(storePaths(t.testdir()));
  const record = exampleRecord();
  const paths = store.machine(record.Name);
  await store.makeDirectory(record.Name);
  await store.save(record);
  const events: string[] = [];
  const driver = Object.assign(new FakeDriver(), {
    start: async ({ state }: { state: FakeState }) => {
      events.push('start');
      return state;
    },
    kill: async () => void events.push('kill'),
    awaitHello: async () => {
      if (events.filter((event) => event === 'start').length <= times) throw new WentOff('it went off');
      events.push('hello');
      return {
        type: 'hello',
        version: 1,
        agentVersion: '1',
        apiVersion: '1.50',
        state: 'ready',
        uptimeMs: 1,
      };
    },
  });
  const handle = { name: record.Name, directory: paths.directory, state: record.Driver };
  const progress = { ...silent, note: (text: string) => void events.push(text) };
  const machine = { record, paths, driver: driver as never, handle };
  const error = await powerOn(store, machine, { osImage: null, bootConfig: '{}' }, { signal, progress }).then(
    () => null,
    (cause: unknown) => cause,
  );
  return { error, events };
}

t.test('a machine that goes off before hello is started once more, and that is said', async (t) => {
  const { error, events } = await powerOnAfter(t, 1);
  t.equal(error, null);
  t.strictSame(events, ['start', 'it went off\nIt is started once more.', 'kill', 'start', 'hello']);
});

t.test('a machine that goes off twice is an error', async (t) => {
  const { error, events } = await powerOnAfter(t, 2);
  t.type(error, WentOff);
  t.equal(events.filter((event) => event === 'start').length, 2);
});
