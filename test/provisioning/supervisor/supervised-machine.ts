import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { FakeDriver } from '../../../drivers/fake/driver.ts';
import type { Machine } from '../../../provisioning/machine.ts';
import { MachineStore } from '../../../provisioning/machine-store.ts';
import { storePaths } from '../../../provisioning/paths.ts';
import { exampleRecord } from '../example-record.ts';

/** A machine of the fake driver, with a store of its own, that runs until `off` is called. */
export async function supervisedMachine(
  t: Test,
): Promise<{ readonly store: MachineStore; readonly machine: Machine; readonly off: () => void }> {
  const root = await mkdtemp(join(tmpdir(), 'ms-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const store = new MachineStore(storePaths(root));
  await store.makeDirectory('dev');
  const power = new AbortController();
  const driver = Object.assign(new FakeDriver(), {
    whenOff: (_machine: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<void>((settle, reject) => {
        power.signal.addEventListener('abort', () => settle(), { once: true });
        if (power.signal.aborted) settle();
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        if (signal.aborted) reject(signal.reason);
      }),
  });
  const record = exampleRecord('dev');
  const paths = store.machine('dev');
  const handle = { name: 'dev', directory: paths.directory, state: record.Driver };
  return { store, machine: { record, paths, driver, handle }, off: () => power.abort() };
}
