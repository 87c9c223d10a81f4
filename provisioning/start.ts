import { FailedPrecondition } from '../drivers/errors.ts';
import type { ImageExtra, OsImage } from '../images/os-image.ts';
import { type ChosenMountType, chooseMountType, type MountTypeWish } from './directories/mount-type.ts';
import { mountFlagsText, mountsOf, type WantedMounts } from './directories/mounts.ts';
import { type Machine, openMachine } from './machine.ts';
import type { MachineRecord } from './machine-record.ts';
import type { MachineStore } from './machine-store.ts';
import { osImage } from './os-image.ts';
import { type PowerOnOptions, powerOn } from './power-on.ts';
import { machineStatus } from './status.ts';
import { endSupervisor } from './supervisor/end.ts';
import { superviseStarted } from './supervisor/started.ts';

export interface StartOptions extends PowerOnOptions {
  /** Of its OS image, from now on; absent: those that it has had. */
  readonly imageExtras?: readonly ImageExtra[];
  /** From now on; null = never; absent: as before. */
  readonly suspendAfterMs?: number | null;
  /** Directories of this computer in it, from now on; absent or null: those that it has had. */
  readonly mounts?: WantedMounts | null;
  /** How they get there, from now on; absent: as before. */
  readonly mountType?: MountTypeWish;
}

/**
 * Starts a machine and waits until its engine answers; a running one is left as it is. Resolves with whether it was
 * off. When the engine does not come up the machine is left on, so that its console can be looked at. Throws NotFound.
 */
export async function startMachine(
  store: MachineStore,
  name: string,
  options: StartOptions,
): Promise<boolean> {
  await using _lock = await store.lock(name, { signal: options.signal });
  return await startLocked(store, name, options);
}

/** What a machine is to be from its next start on. */
interface StartPlan {
  readonly extras: readonly ImageExtra[];
  readonly suspendAfterMs: number | null;
  readonly mounts: MachineRecord['Mounts'];
  readonly mountType: ChosenMountType;
}

/** Throws FailedPrecondition for what this machine cannot be, InvalidArgument for directories that cannot be shared. */
async function planStart({ driver, record }: Machine, options: StartOptions): Promise<StartPlan> {
  const name = record.Name;
  if (record.Phase === 'creating')
    throw new FailedPrecondition(
      `machine "${name}" was never completed; machine rm ${name} removes what is left`,
    );
  const { imageExtras: extras = record.OsImageExtras, suspendAfterMs = record.SuspendAfterMs } = options;
  if (extras.length > 0 && !driver.features.bootsOsImage)
    throw new FailedPrecondition(`machine "${name}" boots no OS image of ours; leave out --with`);
  if (suspendAfterMs !== null && driver.suspender === undefined)
    throw new FailedPrecondition(`machine "${name}" cannot be suspended; leave out --suspend-after`);
  const mounts = await mountsOf(driver, options.mounts ?? null, { before: record.Mounts });
  const mountType = await chooseMountType(driver, mounts, options.mountType ?? record.MountType);
  return { extras, suspendAfterMs, mounts, mountType };
}

/**
 * All of a start that needs neither the machine off nor its disk: the OS image, null where it boots none of ours. For
 * who stops a machine only when it can be started again. Throws what such a start would.
 */
export async function prepareStart(
  store: MachineStore,
  machine: Machine,
  options: StartOptions,
): Promise<OsImage | null> {
  const { extras, mountType } = await planStart(machine, options);
  const { signal, progress } = options;
  if (mountType.fallback !== null) progress.note(mountType.fallback);
  if (!machine.driver.features.bootsOsImage) return null;
  return await progress.step('Getting the OS image', (report) =>
    osImage(store.paths.cache, { extras, signal, report }),
  );
}

/** As startMachine, for a caller that has the machine's lock, and perhaps has it prepared. */
export async function startLocked(
  store: MachineStore,
  name: string,
  options: StartOptions,
  prepared?: OsImage | null,
): Promise<boolean> {
  const { signal } = options;
  const machine = await openMachine(store, name);
  const { extras, suspendAfterMs, mounts, mountType } = await planStart(machine, options);
  const { state, errors } = await machineStatus(store, machine);
  if (state === 'Running' || state === 'Paused') {
    if (extras.join() !== machine.record.OsImageExtras.join())
      throw new FailedPrecondition(
        `machine "${name}" runs with another OS image; machine restart --with ${extras.join(' --with ') || 'none'} ${name} changes it`,
      );
    if (mountFlagsText(mounts) !== mountFlagsText(machine.record.Mounts))
      throw new FailedPrecondition(
        `machine "${name}" runs with other directories; machine restart ${mountFlagsText(mounts)} ${name} changes them`,
      );
    if (mountType.type !== machine.record.MountType)
      throw new FailedPrecondition(
        `machine "${name}" has its directories in another way; machine restart --mount-type ${mountType.type} ${name} changes it`,
      );
    const record = { ...machine.record, SuspendAfterMs: suspendAfterMs };
    if (state === 'Paused' || suspendAfterMs !== machine.record.SuspendAfterMs) {
      await store.save(record);
      // The next one lets a machine that is paused go on.
      await endSupervisor(store, name);
    }
    await superviseStarted(store, { ...machine, record }, options);
    return false;
  }
  if (state === 'Error') throw new FailedPrecondition(`machine "${name}" is broken: ${errors.join('; ')}`);
  const image = prepared === undefined ? await prepareStart(store, machine, options) : prepared;
  const current = {
    ...machine,
    record: {
      ...machine.record,
      OsImage: image?.digest ?? null,
      OsImageExtras: extras,
      SuspendAfterMs: suspendAfterMs,
      Mounts: mounts,
      MountType: mountType.type,
    },
  };
  const { prepareTrust } = await import('./trust.ts');
  const bootConfig = await prepareTrust(store, current, signal);
  const record = await powerOn(store, current, { osImage: image, bootConfig }, options);
  await store.save(record);
  await superviseStarted(
    store,
    { ...machine, record, handle: { ...machine.handle, state: record.Driver } },
    options,
  );
  return true;
}
