import type { Command } from 'commander';
import type { MachineStore } from '../provisioning/machine-store.ts';
import type { startMachine } from '../provisioning/start.ts';
import { contextOf } from './context.ts';
import { type ImageExtraFlags, imageExtrasFlag, imageExtrasOf } from './flags/image-extras.ts';
import { addMountFlag, type MountFlags, mountFlags, wantedMounts } from './flags/mounts.ts';
import { type SuspendFlags, suspendAfterMs, suspendFlag } from './flags/suspend-after.ts';
import { interruptible } from './interruption.ts';
import { forEachMachine, machineNames } from './names.ts';
import { progressFor } from './progress/progress.ts';

type StartOptions = Parameters<typeof startMachine>[2];

/**
 * `start` and `restart`: machines by their names, and what they may be told anew. `work` does it for one, and resolves
 * with what became of it, such as "was started".
 */
export function configurePowerOn(
  command: Command,
  doing: string,
  work: (store: MachineStore, name: string, options: StartOptions) => Promise<string>,
): void {
  command.argument('[names...]');
  for (const option of [imageExtrasFlag(), suspendFlag(), ...mountFlags('as before'), addMountFlag()])
    command.addOption(option);
  command.action(
    async (given: string[], options: ImageExtraFlags & SuspendFlags & MountFlags, self: Command) => {
      const { store } = contextOf(self);
      const chosen = {
        ...(options.with && { imageExtras: imageExtrasOf(options.with) }),
        ...(options.suspendAfter && { suspendAfterMs: suspendAfterMs(options.suspendAfter) }),
        ...(options.mountType && { mountType: options.mountType }),
        mounts: wantedMounts(options),
      };
      const names = await machineNames(store, given);
      await interruptible((signal) =>
        forEachMachine(names, async (name) => {
          const progress = await progressFor(name, { several: names.length > 1 });
          process.stderr.write(`${doing} "${name}"...\n`);
          const became = await work(store, name, { signal, progress, ...chosen });
          process.stderr.write(`Machine "${name}" ${became}.\n`);
        }),
      );
    },
  );
}
