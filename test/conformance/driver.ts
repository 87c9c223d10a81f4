import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { CreateRequest, Driver, MachineHandle, OsImageFiles } from '../../drivers/driver.ts';
import { FailedPrecondition } from '../../drivers/errors.ts';

export interface DriverUnderTest {
  readonly driver: Driver;
  /** Flags that make a machine as small as can be. */
  readonly options: CreateRequest['options'];
  readonly osImage?: OsImageFiles;
  readonly bootConfig?: string;
  /** For each wait; a real VM under emulation needs minutes on a busy computer. */
  readonly deadlineMs: number;
}

/** What every driver promises, by its features; see drivers/driver.ts. */
export async function testDriver(t: Test, { driver, ...given }: DriverUnderTest): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'machine-driver-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const osImage = given.osImage ?? null;
  const request: CreateRequest = { name: 'conform', directory, options: given.options, osImage };
  const boot = { osImage, bootConfig: given.bootConfig ?? '{}' };
  const wait = () => ({ signal: AbortSignal.timeout(given.deadlineMs) });
  const recorded: unknown[] = [];
  const record = async (state: unknown) => {
    recorded.push(structuredClone(state));
  };
  const handle = (state: unknown): MachineHandle<unknown> => ({ name: 'conform', directory, state });

  await t.test('checking before creation makes nothing', async (t) => {
    await driver.preCreate(request);
    t.same(await readdir(directory), []);
  });

  await t.test('a creation that was cancelled can be removed from what it recorded', async (t) => {
    const controller = new AbortController();
    const cancelled = driver.create({ ...request, signal: controller.signal }, async (state) => {
      await record(state);
      controller.abort();
    });
    const outcome = await cancelled.then(
      () => 'made',
      () => 'refused',
    );
    t.ok(recorded.length > 0, `recorded before acting (${outcome})`);
    await driver.remove(handle(recorded.at(-1)));
    t.same(await readdir(directory), []);
  });

  const created = await driver.create(request, record);
  let machine = handle(created);

  await t.test('the state that create returns was recorded and is JSON', async (t) => {
    t.same(recorded.at(-1), created);
    t.same(JSON.parse(JSON.stringify(created)), created);
  });

  if (driver.features.power) {
    await t.test('a machine just made is stopped, and stopping it again is no error', async (t) => {
      t.match(await driver.status(machine), { status: 'stopped' });
      await driver.stop(machine, wait());
      await driver.kill(machine);
      await t.rejects(driver.endpoints(machine), FailedPrecondition);
    });

    await t.test('start is idempotent, and hello comes', async (t) => {
      machine = handle(await driver.start(machine, boot, wait()));
      machine = handle(await driver.start(machine, boot, wait()));
      t.match(await driver.status(machine), { status: 'running' });
      if (driver.features.hello)
        t.match(await driver.awaitHello!(machine, wait()), { type: 'hello', state: 'ready' });
      else t.equal(driver.awaitHello, undefined);
      if (driver.consoleTail) t.type(await driver.consoleTail(machine, 5), 'string');
    });

    await t.test(
      'endpoints of a running machine are on this computer when the driver is local',
      async (t) => {
        const endpoints = await driver.endpoints(machine);
        t.match(endpoints.url, /^tcp:\/\/[^/]+:\d+$/);
        if (driver.features.local) t.equal(endpoints.ip, '127.0.0.1');
        t.equal(endpoints.ssh !== undefined, driver.features.ssh);
      },
    );

    await t.test('a clean stop and a power cut both end in stopped', async (t) => {
      const before = await driver.endpoints(machine);
      await driver.stop(machine, wait());
      t.match(await driver.status(machine), { status: 'stopped' });
      machine = handle(await driver.start(machine, boot, wait()));
      t.same(await driver.endpoints(machine), before, 'endpoints are the same after a restart');
      await driver.kill(machine);
      await driver.kill(machine);
      t.match(await driver.status(machine), { status: 'stopped' });
    });
  } else {
    await t.test('a driver without power refuses to use it', async (t) => {
      await t.rejects(driver.start(machine, boot, wait()), FailedPrecondition);
      await t.rejects(driver.stop(machine, wait()), FailedPrecondition);
      await t.rejects(driver.kill(machine), FailedPrecondition);
      t.match((await driver.endpoints(machine)).url, /^tcp:/);
    });
  }

  await t.test('remove takes everything away, running or not, and again is no error', async (t) => {
    if (driver.features.power) machine = handle(await driver.start(machine, boot, wait()));
    await driver.remove(machine);
    await driver.remove(machine);
    t.same(await readdir(directory), []);
    if (driver.features.power) t.match((await driver.status(machine)).status, /^(broken|stopped)$/);
  });
}
