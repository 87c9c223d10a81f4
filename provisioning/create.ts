import type { CreateRequest } from '../drivers/driver.ts';
import { AlreadyExists, InvalidArgument, PreCreateError } from '../drivers/errors.ts';
import { loadDriver } from '../drivers/registry.ts';
import type { ImageExtra } from '../images/os-image.ts';
import { chooseMountType, type MountTypeWish } from './directories/mount-type.ts';
import { mountsOf, type WantedMounts } from './directories/mounts.ts';
import { type Machine, machineOf } from './machine.ts';
import { assertMachineName } from './machine-name.ts';
import { configVersion, type HostOptions, type MachineRecord } from './machine-record.ts';
import type { MachineStore } from './machine-store.ts';
import { osImage } from './os-image.ts';
import { type PowerOnOptions, powerOn } from './power-on.ts';
import { discard } from './remove.ts';
import { superviseStarted } from './supervisor/started.ts';
import { UndoStack } from './undo.ts';

export interface NewMachine {
  readonly name: string;
  readonly driverName: string;
  /** Values of the driver's flags, defaults filled in. */
  readonly driverOptions: CreateRequest['options'];
  readonly hostOptions: HostOptions;
  /** What `--mount` said; null when it said nothing (directories/mounts.ts). */
  readonly mounts: WantedMounts | null;
  readonly mountType: MountTypeWish;
  readonly imageExtras: readonly ImageExtra[];
  readonly suspendAfterMs: number | null;
}

/**
 * Makes a machine and brings it up, or leaves nothing: no process, no file, no lock.
 *
 * 1. What can be checked is checked; a failure is a PreCreateError.
 * 2. The record is written as `creating` before anything outside the store is made, and again whenever the
 *    driver learns something that undoing would need.
 * 3. OS image, keys, the driver's part, power, the agent's hello, an answer of the API over TLS.
 * 4. The record becomes `created`, and the machine gets its supervisor.
 *
 * An error or an abort of `signal` takes back what was done. What a killed process left is recognised by
 * its record: the next creation of that name, or `remove`, takes it back. Throws AlreadyExists.
 */
export async function createMachine(
  store: MachineStore,
  wanted: NewMachine,
  { signal, progress, ...options }: PowerOnOptions,
): Promise<MachineRecord> {
  const { name, driverName } = wanted;
  assertMachineName(name);
  const driver = await loadDriver(driverName);
  if (wanted.suspendAfterMs !== null && driver.suspender === undefined)
    throw new InvalidArgument(
      `the driver "${driverName}" cannot suspend machines; leave out --suspend-after`,
    );
  if (wanted.imageExtras.length > 0 && !driver.features.bootsOsImage)
    throw new InvalidArgument(
      `machines of the driver "${driverName}" boot no OS image of ours; leave out --with`,
    );
  await using _lock = await store.lock(name, {
    signal,
    onWait: ({ pid }) => progress.note(`waiting for process ${pid}, which is working on machine "${name}"`),
  });
  await discardInterrupted(store, name, (text) => progress.note(text));
  signal.throwIfAborted();

  const { directory } = store.machine(name);
  const undo = new UndoStack();
  try {
    undo.defer(`remove what was made of machine "${name}"`, () => discard(store, name));
    await store.makeDirectory(name);
    const request: CreateRequest = {
      name,
      directory,
      options: wanted.driverOptions,
      osImage: null,
      signal,
    };
    await progress.step('Running pre-create checks', () => preCheck(() => driver.preCreate(request)));

    const mounts = await mountsOf(driver, wanted.mounts);
    const { type, fallback } = await preCheck(() => chooseMountType(driver, mounts, wanted.mountType));
    if (fallback !== null) progress.note(fallback);
    let record = newRecord(wanted, mounts, type);
    await store.save(record);
    const remember = async (state: unknown) => {
      // Refusing here keeps a cancelled driver from making anything more.
      signal.throwIfAborted();
      record = { ...record, Driver: state };
      await store.save(record);
    };

    // Keys take the processor, the image takes the disk and the network: together.
    const { prepareTrust } = await import('./trust.ts');
    const trust = prepareTrust(store, await machineOf(store, record), signal);
    // It may fail before anybody awaits it, which must not end the process.
    const settled = trust.then(ignore, ignore);
    undo.defer('finish making keys', () => settled);
    const image = driver.features.bootsOsImage
      ? await progress.step('Getting the OS image', (report) =>
          osImage(store.paths.cache, { extras: wanted.imageExtras, signal, report }),
        )
      : null;
    record = { ...record, OsImage: image?.digest ?? null };
    const bootConfig = await progress.step('Making keys and certificates', () => trust);
    await progress.step('Creating the machine', async (report) => {
      const onProgress = (text: string) => report({ text });
      await remember(await driver.create({ ...request, osImage: image, onProgress }, remember));
    });

    const machine: Machine = await machineOf(store, record);
    if (driver.features.power)
      record = await powerOn(
        store,
        machine,
        { osImage: image, bootConfig },
        { signal, progress, ...options },
      );
    signal.throwIfAborted();
    record = { ...record, Phase: 'created' };
    await store.save(record);
    undo.commit();
    await superviseStarted(store, { ...machine, record }, { signal, progress });
    return record;
  } catch (error) {
    throw await undo.unwind(error);
  }
}

/** Removes what a killed creation left. Throws AlreadyExists when it is a whole machine, or one that cannot be read. */
async function discardInterrupted(
  store: MachineStore,
  name: string,
  note: (text: string) => void,
): Promise<void> {
  if (await store.has(name)) {
    const record = await store.load(name).catch((cause: unknown) => {
      throw new AlreadyExists(`machine "${name}" already exists; machine rm -f ${name} removes it`, {
        cause,
      });
    });
    if (record.Phase !== 'creating') throw new AlreadyExists(`machine "${name}" already exists`);
    note(`removing what an interrupted creation of "${name}" left`);
  }
  await discard(store, name);
}

/** Its error is told by whoever awaits the result; files that are still being written must not be in the way of removing them. */
function ignore(): void {}

async function preCheck<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await check();
  } catch (error) {
    throw error instanceof PreCreateError || !(error instanceof Error) || error.name === 'Cancelled'
      ? error
      : new PreCreateError(error.message, { cause: error.cause });
  }
}

function newRecord(
  { name, driverName, hostOptions, imageExtras, suspendAfterMs }: NewMachine,
  mounts: MachineRecord['Mounts'],
  mountType: MachineRecord['MountType'],
): MachineRecord {
  return {
    ConfigVersion: configVersion,
    Name: name,
    DriverName: driverName,
    Phase: 'creating',
    CreatedAt: new Date().toISOString(),
    Driver: null,
    OsImage: null,
    OsImageExtras: imageExtras,
    SuspendAfterMs: suspendAfterMs,
    Engine: null,
    Mounts: mounts,
    MountType: mountType,
    HostOptions: hostOptions,
  };
}
