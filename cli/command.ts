import type { Command } from 'commander';
import * as active from './commands/active.ts';
import * as config from './commands/config.ts';
import * as create from './commands/create.ts';
import * as docker from './commands/docker.ts';
import * as doctor from './commands/doctor.ts';
import * as engine from './commands/engine.ts';
import * as env from './commands/env.ts';
import * as image from './commands/image.ts';
import * as inspect from './commands/inspect.ts';
import * as ip from './commands/ip.ts';
import * as kill from './commands/kill.ts';
import * as ls from './commands/ls.ts';
import * as mount from './commands/mount.ts';
import * as restart from './commands/restart.ts';
import * as rm from './commands/rm.ts';
import * as scp from './commands/scp.ts';
import * as ssh from './commands/ssh.ts';
import * as start from './commands/start.ts';
import * as status from './commands/status.ts';
import * as stop from './commands/stop.ts';
import * as supervise from './commands/supervise.ts';
import * as url from './commands/url.ts';
import * as use from './commands/use.ts';
import * as version from './commands/version.ts';

/** One file of `commands/`: only the one that is called is asked to configure itself. */
export interface CommandModule {
  /**
   * Declares arguments, options and the action. `args` is everything behind the command's name, for a
   * command whose options depend on it.
   */
  configure(command: Command, args: readonly string[]): void | Promise<void>;
}

interface CommandEntry {
  readonly summary: string;
  /** Not for people: `machine --help` does not list it. */
  readonly hidden?: true;
  readonly module: CommandModule;
}

/**
 * In the order of the help text. All of them are loaded, since they are small and few files load fast: what is
 * large (certificates, SSH, images, drivers, prompts) is imported where it is used.
 */
export const commands: Readonly<Record<string, CommandEntry>> = {
  create: { summary: 'Create a machine', module: create },
  ls: { summary: 'List machines', module: ls },
  status: { summary: 'Get the status of a machine', module: status },
  start: { summary: 'Start machines', module: start },
  stop: { summary: 'Gracefully stop machines', module: stop },
  restart: { summary: 'Restart machines', module: restart },
  kill: { summary: 'Kill (abruptly force stop) machines', module: kill },
  rm: { summary: 'Remove machines', module: rm },
  env: {
    summary: 'Display the commands to set up the environment for the Docker client',
    module: env,
  },
  use: { summary: 'Make docker use a machine, in every shell', module: use },
  docker: { summary: 'Run a Docker client against a machine', module: docker },
  ip: { summary: 'Get the IP address of machines', module: ip },
  url: { summary: 'Get the URL of machines', module: url },
  config: {
    summary: "Print a machine's flags for the Docker client",
    module: config,
  },
  active: { summary: 'Print which machine is active', module: active },
  inspect: { summary: 'Inspect information about a machine', module: inspect },
  doctor: { summary: 'Check a machine and what connects this computer to it', module: doctor },
  ssh: {
    summary: 'Log into or run a command on a machine with SSH',
    module: ssh,
  },
  scp: { summary: 'Copy files between machines and this computer', module: scp },
  mount: { summary: "Mount a machine's directory on this computer, or unmount it", module: mount },
  image: { summary: 'Build and look after OS images', module: image },
  engine: {
    summary: 'Run the container engine on this Linux host, without a machine',
    module: engine,
  },
  supervise: {
    summary: 'Supervise a running machine; started by the other commands',
    hidden: true,
    module: supervise,
  },
  version: {
    summary: 'Show the version of machine, or of a machine’s engine',
    module: version,
  },
};
