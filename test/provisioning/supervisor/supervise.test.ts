import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import { FakeDriver } from '../../../drivers/fake/driver.ts';
import { lockHolder } from '../../../provisioning/lock.ts';
import { endLastSupervisor, endSupervisor } from '../../../provisioning/supervisor/end.ts';
import { ensureSupervised } from '../../../provisioning/supervisor/launch.ts';
import type { Service } from '../../../provisioning/supervisor/service.ts';
import { apiSocketOf } from '../../../provisioning/supervisor/socket/path.ts';
import { livingSupervisor, supervisorResource } from '../../../provisioning/supervisor/state.ts';
import { supervise } from '../../../provisioning/supervisor/supervise.ts';
import { supervisedMachine } from './supervised-machine.ts';

const never = new AbortController().signal;

function service(name: string, freed: string[] = []): Service {
  return {
    name,
    async run({ ready, signal }) {
      ready();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      freed.push(name);
    },
  };
}

t.test('services run until the machine is off, and nothing is left', async (t) => {
  const { store, machine, off } = await supervisedMachine(t);
  const freed: string[] = [];
  const services = ['one', 'two'].map((name) => service(name, freed));
  const running = supervise(store, machine, { signal: never, services });
  await ensureSupervised(store, machine, {
    signal: never,
    start: () => new Promise(() => {}),
    onWarning: (text) => t.fail(text),
  });
  const state = await livingSupervisor(machine.paths);
  t.equal(state?.pid, process.pid);
  t.same(state?.services, { one: { ready: true, error: null }, two: { ready: true, error: null } });
  t.notMatch(await lockHolder(store.paths.locks, supervisorResource('dev')), null);

  await supervise(store, machine, {
    signal: never,
    services: [{ name: 'second', run: async () => t.fail('a second one') as never }],
  });

  off();
  await running;
  t.same(freed, ['one', 'two']);
  t.notOk(existsSync(machine.paths.supervisor));
  t.equal(await lockHolder(store.paths.locks, supervisorResource('dev')), null);
  t.match(readFileSync(machine.paths.supervisorLog, 'utf8'), /ends: the machine is off/);
});

t.test('its signal ends it, and a service that does not end is not waited for', async (t) => {
  const { store, machine } = await supervisedMachine(t);
  const told = new AbortController();
  const stuck: Service = {
    name: 'stuck',
    async run({ ready }) {
      ready();
      await delay(60_000, undefined, { ref: false });
    },
  };
  const running = supervise(store, machine, { signal: told.signal, services: [stuck] });
  while ((await livingSupervisor(machine.paths)) === null) await delay(5);
  told.abort();
  await running;
  t.notOk(existsSync(machine.paths.supervisor));
});

t.test('what is not ready at the deadline is said by name, with its error', async (t) => {
  const { store, machine, off } = await supervisedMachine(t);
  const broken: Service = { name: 'ports', run: async () => Promise.reject(new Error('no QMP')) };
  const running = supervise(store, machine, {
    signal: never,
    services: [service('socket'), broken],
  });
  const warnings: string[] = [];
  await ensureSupervised(store, machine, {
    signal: never,
    deadlineMs: 300,
    start: () => new Promise(() => {}),
    onWarning: (text) => warnings.push(text),
  });
  t.match(warnings, [/^WARNING: machine "dev" runs, but ports is not ready \(no QMP\); machine doctor dev/]);
  await ensureSupervised(store, machine, {
    signal: never,
    notFor: ['ports'],
    onWarning: (text) => t.fail(text),
  });
  off();
  await running;
});

t.test('a supervisor that ends at once is not waited for', async (t) => {
  const { store, machine } = await supervisedMachine(t);
  const warnings: string[] = [];
  const started: string[] = [];
  await ensureSupervised(store, machine, {
    signal: never,
    async start(_store, name) {
      started.push(name);
    },
    onWarning: (text) => warnings.push(text),
  });
  t.same(started, ['dev']);
  t.match(warnings, [/its supervisor did not come up/]);
});

t.test('drivers whose machines cannot be watched have no supervisor', async (t) => {
  const { store, machine } = await supervisedMachine(t);
  const plain = { ...machine, driver: new FakeDriver() };
  await ensureSupervised(store, plain, {
    signal: never,
    start: () => t.fail('started') as never,
    onWarning: (text) => t.fail(text),
  });
  await t.rejects(supervise(store, plain, { signal: never, services: [] }), FailedPrecondition);
  await endSupervisor(store, 'dev');
});

t.test('what one that was killed has left goes when its machine is off', async (t) => {
  const { store, machine } = await supervisedMachine(t);
  const { path } = apiSocketOf(machine.paths);
  mkdirSync(dirname(path), { recursive: true });
  for (const left of [path, machine.paths.supervisor]) writeFileSync(left, '');
  await endLastSupervisor(store, 'dev');
  t.notOk(existsSync(path));
  t.notOk(existsSync(machine.paths.supervisor));
  await endLastSupervisor(store, 'dev');
});

t.test('a file of a process that is gone, or no file of ours, is no supervisor', async (t) => {
  const { machine } = await supervisedMachine(t);
  for (const text of ['', '{}', '{"pid":1}', `{"pid":${process.pid},"started":"1","services":{}}`]) {
    writeFileSync(machine.paths.supervisor, text);
    t.equal(await livingSupervisor(machine.paths), null, text);
  }
});
