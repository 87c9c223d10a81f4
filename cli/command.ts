import type { Command } from 'commander';

/** One file of `commands/`. Loaded only when its command is called or its help is asked for. */
export interface CommandModule {
  /**
   * Declares arguments, options and the action. `args` is everything behind the command's name, for a
   * command whose options depend on it.
   */
  configure(command: Command, args: readonly string[]): void | Promise<void>;
}

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** In the order of the help text. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  create: { summary: 'Create a machine', load: () => import('./commands/create.ts') },
  ls: { summary: 'List machines', load: () => import('./commands/ls.ts') },
  status: { summary: 'Get the status of a machine', load: () => import('./commands/status.ts') },
  start: { summary: 'Start machines', load: () => import('./commands/start.ts') },
  stop: { summary: 'Gracefully stop machines', load: () => import('./commands/stop.ts') },
  restart: { summary: 'Restart machines', load: () => import('./commands/restart.ts') },
  kill: { summary: 'Kill (abruptly force stop) machines', load: () => import('./commands/kill.ts') },
  rm: { summary: 'Remove machines', load: () => import('./commands/rm.ts') },
  env: {
    summary: 'Display the commands to set up the environment for the Docker client',
    load: () => import('./commands/env.ts'),
  },
  docker: { summary: 'Run a Docker client against a machine', load: () => import('./commands/docker.ts') },
  ip: { summary: 'Get the IP address of machines', load: () => import('./commands/ip.ts') },
  url: { summary: 'Get the URL of machines', load: () => import('./commands/url.ts') },
  config: {
    summary: "Print a machine's flags for the Docker client",
    load: () => import('./commands/config.ts'),
  },
  active: { summary: 'Print which machine is active', load: () => import('./commands/active.ts') },
  inspect: { summary: 'Inspect information about a machine', load: () => import('./commands/inspect.ts') },
  ssh: {
    summary: 'Log into or run a command on a machine with SSH',
    load: () => import('./commands/ssh.ts'),
  },
  image: { summary: 'Build and look after OS images', load: () => import('./commands/image.ts') },
  engine: {
    summary: 'Run the container engine on this Linux host, without a machine',
    load: () => import('./commands/engine.ts'),
  },
  version: {
    summary: 'Show the version of machine, or of a machine’s engine',
    load: () => import('./commands/version.ts'),
  },
};
