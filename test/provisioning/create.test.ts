import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  AlreadyExists,
  Cancelled,
  FailedPrecondition,
  InvalidArgument,
  PreCreateError,
  Unavailable,
} from '../../drivers/errors.ts';
import { createMachine, type NewMachine } from '../../provisioning/create.ts';
import { openMachine } from '../../provisioning/machine.ts';
import { MachineStore } from '../../provisioning/machine-store.ts';
import { storePaths } from '../../provisioning/paths.ts';
import { type Progress, silent } from '../../provisioning/progress.ts';
import { removeMachine } from '../../provisioning/remove.ts';
import { restartMachine } from '../../provisioning/restart.ts';
import { startMachine } from '../../provisioning/start.ts';
import { machineStatus } from '../../provisioning/status.ts';
import { stopMachine } from '../../provisioning/stop.ts';
import { UndoFailed } from '../../provisioning/undo.ts';
import { exampleHostOptions } from './example-record.ts';

const { signal } = new AbortController();

/** With certificates made once for all tests: they take longer than everything else. */
function newStore(t: Test): MachineStore {
  return new MachineStore(storePaths(t.testdir(), { certificates }));
}

const shared = storePaths(t.testdir()).certs;
const certificates = { ca: shared.ca, caKey: shared.caKey, cert: shared.cert, key: shared.key };

function fake(options: NewMachine['driverOptions'] = {}, name = 'dev'): NewMachine {
  return {
    name,
    driverName: 'fake',
    driverOptions: options,
    hostOptions: exampleHostOptions(),
    mounts: null,
    mountType: 'sftp',
    imageExtras: [],
    suspendAfterMs: null,
  };
}

async function left(store: MachineStore): Promise<string[]> {
  const lists = [store.paths.machines, store.paths.locks].map((path) => readdir(path).catch(() => []));
  return (await Promise.all(lists)).flat();
}

async function stateOf(store: MachineStore, name = 'dev'): Promise<string> {
  return (await machineStatus(store, await openMachine(store, name))).state;
}

t.test('a created machine is recorded, runs, and can be removed without a trace', async (t) => {
  const store = newStore(t);
  const record = await createMachine(store, fake(), { signal, progress: silent });
  t.equal(record.Phase, 'created');
  t.same(record.Engine, { Version: '0.0.0', ApiVersion: '1.50' });
  t.same(await store.load('dev'), record);
  t.equal(await stateOf(store), 'Running');
  await t.rejects(createMachine(store, fake(), { signal, progress: silent }), { name: AlreadyExists.name });
  t.equal(await stateOf(store), 'Running', 'the first one is kept');
  await removeMachine(store, 'dev', { signal });
  t.same(await left(store), []);
});

t.test('whatever step fails, nothing is left and the next creation works', async (t) => {
  for (const step of ['preCreate', 'create', 'start', 'hello']) {
    const store = newStore(t);
    const failing = createMachine(store, fake({ 'fake-fail-at': step }), { signal, progress: silent });
    await t.rejects(failing, { message: `told to fail in ${step}` }, step);
    t.same(await left(store), [], step);
    await createMachine(store, fake(), { signal, progress: silent });
    t.equal(await stateOf(store), 'Running', step);
    await rm(store.paths.root, { recursive: true });
  }
});

t.test('a failed check before creation is a PreCreateError', async (t) => {
  const store = newStore(t);
  const failing = createMachine(store, fake({ 'fake-fail-at': 'preCreate' }), { signal, progress: silent });
  await t.rejects(failing, { name: PreCreateError.name });
});

t.test('a name that is no host name is refused', async (t) => {
  const store = newStore(t);
  for (const name of ['', '..', '-a', 'a_b', 'a/b', 'a b', 'x'.repeat(64)])
    await t.rejects(createMachine(store, fake({}, name), { signal, progress: silent }), {
      constructor: InvalidArgument,
      message: /allowed hostname chars are: 0-9a-zA-Z \. -/,
    });
  t.same(await left(store), []);
});

t.test('an abort in any step leaves nothing', async (t) => {
  for (const step of ['preCreate', 'create', 'start', 'hello']) {
    const store = newStore(t);
    const controller = new AbortController();
    const progress: Progress = {
      note: () => {},
      step: async (title, work) => {
        const steps = [
          'Running pre-create checks',
          'Creating the machine',
          'Starting the machine',
          'Waiting for the engine',
        ];
        const hanging = ['preCreate', 'create', 'start', 'hello'].indexOf(step) === steps.indexOf(title);
        const running = work(() => {});
        if (hanging) setImmediate(() => controller.abort(new Cancelled('stop it')));
        return running;
      },
    };
    const creating = createMachine(store, fake({ 'fake-hang-at': step }), {
      signal: controller.signal,
      progress,
    });
    await t.rejects(creating, { name: Cancelled.name }, step);
    t.same(await left(store), [], step);
    await rm(store.paths.root, { recursive: true });
  }
});

t.test('an engine that does not come up in time is an error with the console’s end', async (t) => {
  const store = newStore(t);
  const creating = createMachine(store, fake({ 'fake-hang-at': 'hello' }), {
    signal,
    progress: silent,
    deadlineMs: 50,
  });
  await t.rejects(creating, {
    message:
      /"dev" was started but its engine did not come up within 0.05 s\n.*console of "dev":\n {2}\| fake: create\n {2}\| fake: start/s,
  });
  t.same(await left(store), []);
});

t.test('what could not be undone is told, and the machine can still be removed', async (t) => {
  const store = newStore(t);
  const creating = createMachine(store, fake({ 'fake-fail-at': 'remove', 'fake-hang-at': 'hello' }), {
    signal,
    progress: silent,
    deadlineMs: 20,
  });
  await t.rejects(creating, {
    constructor: UndoFailed,
    message: /could not remove what was made of machine "dev": /,
  });
  t.equal(await stateOf(store), 'Error');
  await t.rejects(removeMachine(store, 'dev', { signal }), { name: Unavailable.name });
  const warnings: string[] = [];
  await removeMachine(store, 'dev', { signal, force: true, onWarning: (text) => warnings.push(text) });
  t.match(warnings, ['"dev" is forgotten, but: the fake driver was told to fail in remove']);
  t.same(await left(store), []);
});

t.test('what a killed creation left is shown, and the next creation removes it', async (t) => {
  const store = newStore(t);
  const record = await createMachine(store, fake(), { signal, progress: silent });
  await store.save({ ...record, Phase: 'creating' });
  const status = await machineStatus(store, await openMachine(store, 'dev'));
  t.match(status, {
    state: 'Error',
    errors: ['its creation was interrupted; machine rm dev removes what is left'],
  });
  await t.rejects(startMachine(store, 'dev', { signal, progress: silent }), { message: /machine rm dev/ });
  const notes: string[] = [];
  await createMachine(store, fake(), {
    signal,
    progress: { ...silent, note: (text) => void notes.push(text) },
  });
  t.match(notes, ['removing what an interrupted creation of "dev" left']);
  t.equal(await stateOf(store), 'Running');
});

t.test('a directory without a record is nothing, and in nobody’s way', async (t) => {
  const store = newStore(t);
  await store.makeDirectory('dev');
  await writeFile(join(store.machine('dev').directory, '.config.json.tmp'), '{');
  t.same(await store.names(), []);
  await createMachine(store, fake(), { signal, progress: silent });
  t.equal(await stateOf(store), 'Running');
});

t.test('a record that cannot be read is in the way until it is removed by force', async (t) => {
  const store = newStore(t);
  await store.makeDirectory('dev');
  await writeFile(store.machine('dev').config, '{"ConfigVersion": 99}');
  t.same(await store.names(), ['dev']);
  await t.rejects(createMachine(store, fake(), { signal, progress: silent }), {
    constructor: AlreadyExists,
    message: /machine rm -f dev/,
  });
  await t.rejects(removeMachine(store, 'dev', { signal }), { message: /from the future/ });
  await removeMachine(store, 'dev', { signal, force: true });
  t.same(await left(store), []);
});

t.test('starting and stopping are idempotent', async (t) => {
  const store = newStore(t);
  await createMachine(store, fake(), { signal, progress: silent });
  t.equal(await startMachine(store, 'dev', { signal, progress: silent }), false, 'it runs already');
  t.equal(await stateOf(store), 'Running');
  for (const wasOn of [true, false]) {
    t.equal(await stopMachine(store, 'dev', { signal }), wasOn);
    t.equal(await stateOf(store), 'Stopped');
  }
  t.equal(await startMachine(store, 'dev', { signal, progress: silent }), true);
  t.equal(await stateOf(store), 'Running');
});

t.test('a restart that asks for what the machine cannot be leaves it running', async (t) => {
  const store = newStore(t);
  await createMachine(store, fake(), { signal, progress: silent });
  for (const wish of [{ imageExtras: ['qemu-user'] as const }, { suspendAfterMs: 60_000 }])
    await t.rejects(restartMachine(store, 'dev', { signal, progress: silent, ...wish }), {
      constructor: FailedPrecondition,
      message: /leave out --(?:with|suspend-after)/,
    });
  t.equal(await stateOf(store), 'Running');
});

for (const [name, start] of Object.entries({ startMachine, restartMachine }))
  t.test(`${name} has the machine’s lock until the engine answers`, async (t) => {
    const store = newStore(t);
    const record = await createMachine(store, fake(), { signal, progress: silent });
    await stopMachine(store, 'dev', { signal });
    await store.save({ ...record, Driver: { ...(record.Driver as object), hangAt: 'hello' } });
    const cancelling = new AbortController();
    let waiting = () => {};
    const waits = new Promise<void>((resolve) => {
      waiting = resolve;
    });
    const progress: Progress = {
      ...silent,
      step: (title, work) => {
        if (title === 'Waiting for the engine') waiting();
        return silent.step(title, work);
      },
    };
    const starting = t.rejects(async () => {
      await start(store, 'dev', { signal: cancelling.signal, progress });
    });
    await waits;
    t.equal((await store.lockHolder('dev'))?.pid, process.pid);
    cancelling.abort();
    await starting;
    t.equal(await store.lockHolder('dev'), null);
  });

t.test('a machine that does not shut down in time is an error that says what to type', async (t) => {
  const store = newStore(t);
  await createMachine(store, fake({ 'fake-hang-at': 'stop' }), { signal, progress: silent });
  await t.rejects(stopMachine(store, 'dev', { signal, deadlineMs: 20 }), {
    message: /did not shut down within 0.02 s; machine kill dev turns it off/,
  });
});
