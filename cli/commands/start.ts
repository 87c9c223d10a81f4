import type { Command } from 'commander';
import { startMachine } from '../../provisioning/start.ts';
import { configurePowerOn } from '../power-on.ts';

export function configure(command: Command): void {
  configurePowerOn(command, 'Starting', async (store, name, options) =>
    (await startMachine(store, name, options)) ? 'was started' : 'is already running',
  );
}
