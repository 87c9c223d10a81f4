import t from 'tap';
import { keepRunning, retryDelayMs } from '../../../provisioning/supervisor/keep-running.ts';
import type { Service } from '../../../provisioning/supervisor/service.ts';
import { Sleep } from '../../../provisioning/supervisor/sleep.ts';
import type { ServiceState } from '../../../provisioning/supervisor/state.ts';
import { supervisedMachine } from './supervised-machine.ts';

t.test('a failure is waited for twice as long as the one before, up to half a minute', async (t) => {
  t.same([1, 2, 3, 8, 9, 40].map(retryDelayMs), [250, 500, 1000, 30_000, 30_000, 30_000]);
});

t.test('a service that fails is run again and becomes ready again', async (t) => {
  const { machine } = await supervisedMachine(t);
  const states: ServiceState[] = [];
  const waits: number[] = [];
  const said: string[] = [];
  const ended = new AbortController();
  let runs = 0;
  const service: Service = {
    name: 'flaky',
    async run({ ready, signal }) {
      runs += 1;
      if (runs === 1) throw new Error('no port', { cause: new Error('taken') });
      ready();
      if (runs === 2) return;
      const over = new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended.abort();
      await over.catch(() => {});
    },
  };
  await keepRunning(service, {
    machine,
    signal: ended.signal,
    sleep: new Sleep(),
    log: {
      info: (text) => said.push(text),
      error: (text, error) => said.push(`${text}: ${(error as Error).message}`),
    },
    onState: (state) => states.push(state),
    delayMs(failures) {
      waits.push(failures);
      return 1;
    },
  });
  t.same(states, [
    { ready: false, error: 'no port, because taken' },
    { ready: true, error: null },
    { ready: false, error: 'it ended by itself' },
    { ready: true, error: null },
  ]);
  t.same(waits, [1, 2]);
  t.match(said, [/again in 1 ms: no port/, /it ended by itself/]);
});

t.test(
  'waiting for another run ends with the signal, and a late word of an old run counts for nothing',
  async (t) => {
    const { machine } = await supervisedMachine(t);
    const ended = new AbortController();
    const states: ServiceState[] = [];
    let late = () => {};
    const service: Service = {
      name: 'broken',
      async run({ ready }) {
        late = ready;
        throw new Error('never');
      },
    };
    await keepRunning(service, {
      machine,
      signal: ended.signal,
      sleep: new Sleep(),
      log: { info: () => {}, error: () => {} },
      delayMs: () => 600_000,
      onState(state) {
        states.push(state);
        setImmediate(() => ended.abort());
      },
    });
    late();
    t.same(states, [{ ready: false, error: 'never' }]);
  },
);
