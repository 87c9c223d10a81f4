import { type Command, Option } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import { defaultDriver, driverNames, loadDriver } from '../../drivers/registry.ts';
import { createMachine } from '../../provisioning/create.ts';
import { contextOf } from '../context.ts';
import { driverFlags, driverValues } from '../flags/driver.ts';
import { type EngineFlags, engineFlags, engineOptions } from '../flags/engine.ts';
import { fromEnv } from '../flags/from-env.ts';
import { type ImageExtraFlags, imageExtrasFlag, imageExtrasOf } from '../flags/image-extras.ts';
import { type MountFlags, mountFlags, wantedMounts } from '../flags/mounts.ts';
import { repeated } from '../flags/repeated.ts';
import { type SuspendFlags, suspendAfterMs, suspendFlag } from '../flags/suspend-after.ts';
import { type SwarmFlags, swarmFlags, swarmOptions } from '../flags/swarm.ts';
import { interruptible } from '../interruption.ts';
import { progressFor } from '../progress/progress.ts';

interface Options extends EngineFlags, SwarmFlags, ImageExtraFlags, SuspendFlags, MountFlags {
  readonly driver: string;
  readonly tlsSan: readonly string[];
  readonly json?: boolean;
}

export async function configure(command: Command, args: readonly string[]): Promise<void> {
  const driver = await loadDriver(chosenDriver(args));
  command
    .argument('[name]')
    .addOption(
      fromEnv(
        new Option(
          '-d, --driver <DRIVER>',
          `where the machine comes from: ${driverNames.join(', ')}`,
        ).default(defaultDriver),
        'MACHINE_DRIVER',
      ),
    )
    .addOption(
      new Option('--tls-san <NAME>', "another name of the engine's certificate")
        .default([], 'none')
        .argParser(repeated),
    )
    .addOption(imageExtrasFlag())
    .addOption(suspendFlag())
    .option('--json', 'print progress events and the result as JSON lines');
  for (const option of [...mountFlags('the home'), ...engineFlags(), ...swarmFlags(), ...driverFlags(driver)])
    command.addOption(option);

  command.action(async (name: string | undefined, options: Options, self: Command) => {
    if (name === undefined) throw new InvalidArgument('No machine name specified; machine create NAME');
    const { store } = contextOf(self);
    const { json } = options;
    const progress = await progressFor(name, { json });
    const SwarmOptions = swarmOptions(options);
    if (SwarmOptions.IsSwarm)
      progress.note('WARNING: the old Docker Swarm is not run; its flags are only kept in the record');
    const record = await interruptible((signal) =>
      createMachine(
        store,
        {
          name,
          driverName: driver.name,
          driverOptions: driverValues(driver, self),
          hostOptions: {
            EngineOptions: engineOptions(options),
            SwarmOptions,
            AuthOptions: { ServerCertSANs: [...options.tlsSan] },
          },
          mounts: wantedMounts(options),
          mountType: options.mountType ?? 'sftp',
          imageExtras: imageExtrasOf(options.with ?? []),
          suspendAfterMs: suspendAfterMs(options.suspendAfter ?? 'never'),
        },
        { signal, progress },
      ),
    );
    const done = json
      ? JSON.stringify({ type: 'created', at: new Date().toISOString(), machine: name, record })
      : readyText(name, driver.features.power);
    process.stdout.write(`${done}\n`);
  });
}

/** Which driver's flags are to be declared; what is wrong otherwise is for commander to say. */
function chosenDriver(args: readonly string[]): string {
  let name = process.env.MACHINE_DRIVER || defaultDriver;
  for (const [i, arg] of args.entries()) {
    if (arg === '--') break;
    const joined = /^(?:--driver=|-d=?)(.+)$/.exec(arg);
    if (arg === '--driver' || arg === '-d') name = args[i + 1] ?? name;
    else if (joined) name = joined[1]!;
  }
  return name;
}

function readyText(name: string, power: boolean): string {
  const ready = power ? 'Docker is up and running!\n' : '';
  return `${ready}To see how to connect your Docker Client to the Docker Engine of this machine, run: machine env ${name}`;
}
