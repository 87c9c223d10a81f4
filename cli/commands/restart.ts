import type { Command } from 'commander';
import { restartMachine } from '../../provisioning/restart.ts';
import { configurePowerOn } from '../power-on.ts';

export function configure(command: Command): void {
  configurePowerOn(command, 'Restarting', async (store, name, options) => {
    await restartMachine(store, name, options);
    return 'was restarted';
  });
}
