import type { Command } from 'commander';
import { FailedPrecondition, InvalidArgument } from '../../drivers/errors.ts';
import { contextOwner, writeContext } from '../../provisioning/docker-context/context.ts';
import { currentContext, setCurrentContext } from '../../provisioning/docker-context/current.ts';
import { contextName, dockerConfig } from '../../provisioning/docker-context/files.ts';
import { giveSystemPipe, systemPipe, takeSystemPipe } from '../../provisioning/docker-context/system-pipe.ts';
import {
  linkSystemSocket,
  systemSocket,
  unlinkSystemSocket,
} from '../../provisioning/docker-context/system-socket.ts';
import { openMachine } from '../../provisioning/machine.ts';
import type { MachineStore } from '../../provisioning/machine-store.ts';
import { contextOf } from '../context.ts';
import { machineName } from '../names.ts';

interface Options {
  readonly unset?: boolean;
  readonly system?: boolean;
}

const hasPipes = process.platform === 'win32';
const systemPlace = hasPipes ? systemPipe : systemSocket;

export function configure(command: Command): void {
  command
    .argument('[name]')
    .option('-u, --unset', 'use no machine any more')
    .option('--system', `make ${systemPlace} lead to the machine, instead of choosing its docker context`)
    .action(async (given: string | undefined, { unset, system }: Options, self: Command) => {
      const { store } = contextOf(self);
      if (unset) {
        if (given !== undefined) throw new InvalidArgument('--unset takes no name');
        return system ? unsetSystem(store) : unsetContext(store);
      }
      const name = await machineName(store, given);
      await mustHaveSocket(store, name);
      await (system ? useSystem(store, name) : useContext(store, name));
    });
}

async function mustHaveSocket(store: MachineStore, name: string): Promise<void> {
  const { driver } = await openMachine(store, name);
  if (driver.whenOff === undefined)
    throw new FailedPrecondition(
      `machines of driver ${driver.name} have no socket on this computer; eval "$(machine env ${name})" works`,
    );
}

async function useContext(store: MachineStore, name: string): Promise<void> {
  const context = contextName(name);
  if ((await writeContext(store, name)) === 'foreign')
    throw new FailedPrecondition(
      `the docker context "${context}" is not of this machine; docker context rm ${context} makes room for it`,
    );
  await setCurrentContext(context, dockerConfig());
  process.stdout.write(`docker now uses machine "${name}" (context "${context}")\n`);
  for (const variable of ['DOCKER_HOST', 'DOCKER_CONTEXT'])
    if (process.env[variable])
      process.stderr.write(`WARNING: ${variable} is set in this shell and goes first; unset it\n`);
}

async function unsetContext(store: MachineStore): Promise<void> {
  const config = dockerConfig();
  const current = await currentContext(config);
  const ours = current?.startsWith(contextName('')) ? current.slice(contextName('').length) : null;
  if (ours === null || (await contextOwner(store, ours, config)) !== 'ours')
    throw new FailedPrecondition(
      current === null
        ? 'docker uses no context that could be unset'
        : `docker's context "${current}" is not of a machine; docker context use default leaves it`,
    );
  await setCurrentContext(null, config);
  process.stdout.write(`docker no longer uses machine "${ours}"\n`);
}

async function useSystem(store: MachineStore, name: string): Promise<void> {
  await (hasPipes ? takeSystemPipe(store, name) : linkSystemSocket(store, name));
  process.stdout.write(`${systemPlace} now leads to machine "${name}"\n`);
}

async function unsetSystem(store: MachineStore): Promise<void> {
  const had = await (hasPipes ? giveSystemPipe(store, null) : unlinkSystemSocket(store, null));
  if (!had) throw new FailedPrecondition(`${systemPlace} does not lead to a machine`);
  process.stdout.write(`${systemPlace} is removed\n`);
}
