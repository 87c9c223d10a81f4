import { spawn } from 'node:child_process';
import { type CommandOptions, type CommandResult, runCommand } from '../helpers/run-command.ts';

const entry = 'cli/bin/machine.mjs';

/** Runs the CLI as users do, from the bundle, with nothing of the user's environment that it would heed. */
export function runMachine(
  store: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return runCommand(process.execPath, [entry, ...args], {
    ...options,
    env: { ...environment(store), ...options.env },
  });
}

/** As runMachine, without waiting for its end. */
export function spawnMachine(store: string, args: readonly string[]) {
  return spawn(process.execPath, [entry, ...args], {
    env: { ...process.env, ...environment(store) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function environment(store: string): Record<string, string> {
  const cleared = [
    'DOCKER_HOST',
    'DOCKER_MACHINE_NAME',
    'MACHINE_DRIVER',
    'MACHINE_DEBUG',
    'MACHINE_CACHE_PATH',
    // tap's hooks would be loaded by every process.
    'NODE_OPTIONS',
  ];
  return {
    ...Object.fromEntries(cleared.map((name) => [name, ''])),
    MACHINE_STORAGE_PATH: store,
    SHELL: '/bin/bash',
  };
}
