import type { Command } from 'commander';
import { restartMachine } from '../../provisioning/restart.ts';
import { contextOf } from '../context.ts';
import { type ImageExtraFlags, imageExtrasFlag, imageExtrasOf } from '../flags/image-extras.ts';
import { type SuspendFlags, suspendAfterMs, suspendFlag } from '../flags/suspend-after.ts';
import { interruptible } from '../interruption.ts';
import { forEachMachine, machineNames } from '../names.ts';
import { progressFor } from '../progress/progress.ts';

export function configure(command: Command): void {
  command
    .argument('[names...]')
    .addOption(imageExtrasFlag())
    .addOption(suspendFlag())
    .action(async (given: string[], options: ImageExtraFlags & SuspendFlags, self: Command) => {
      const { store } = contextOf(self);
      const chosen = {
        ...(options.with && { imageExtras: imageExtrasOf(options.with) }),
        ...(options.suspendAfter && { suspendAfterMs: suspendAfterMs(options.suspendAfter) }),
      };
      const names = await machineNames(store, given);
      await interruptible((signal) =>
        forEachMachine(names, async (name) => {
          const progress = await progressFor(name, { several: names.length > 1 });
          process.stderr.write(`Restarting "${name}"...\n`);
          await restartMachine(store, name, { signal, progress, ...chosen });
          process.stderr.write(`Machine "${name}" was restarted.\n`);
        }),
      );
    });
}
