import type { Command } from 'commander';
import { FailedPrecondition, InvalidArgument } from '../../drivers/errors.ts';
import type { Machine } from '../../provisioning/machine.ts';
import { apiSocketOf } from '../../provisioning/supervisor/socket/path.ts';
import { contextOf } from '../context.ts';
import { dockerEnvironment } from '../docker-environment.ts';
import { machineName } from '../names.ts';
import { detectShell } from '../shells/detect.ts';
import { type Shell, shells } from '../shells/shell.ts';

interface Options {
  readonly shell?: string;
  readonly unset?: boolean;
  readonly proxy: boolean;
  readonly swarm?: boolean;
  readonly socket?: boolean;
}

/** What `machine env` sets, in docker-machine's order. */
const variables = ['DOCKER_TLS_VERIFY', 'DOCKER_HOST', 'DOCKER_CERT_PATH', 'DOCKER_MACHINE_NAME'] as const;

export function configure(command: Command, args: readonly string[]): void {
  command
    .argument('[name]')
    .option('--shell <SHELL>', `write for this shell: ${Object.keys(shells).join(', ')} (default: found out)`)
    .option('-u, --unset', 'unset the variables instead of setting them')
    .option('--no-proxy', "add the machine's IP to the NO_PROXY environment variable")
    .option('--socket', 'connect by the socket on this computer instead of TLS')
    .option('--swarm', 'not supported')
    .action(async (given: string | undefined, options: Options, self: Command) => {
      if (options.swarm) throw new InvalidArgument('--swarm: the old Docker Swarm is not run by machine');
      const shellName = options.shell ?? (await detectShell());
      const shell = Object.hasOwn(shells, shellName) ? shells[shellName] : undefined;
      if (shell === undefined)
        throw new InvalidArgument(`no shell "${shellName}"; there are ${Object.keys(shells).join(', ')}`);

      const lines: string[] = [];
      if (options.unset) {
        const names = options.proxy ? variables : [...variables, noProxyName(process.env)];
        lines.push(...names.map((name) => shell.unset(name)));
      } else {
        const { store } = contextOf(self);
        const { environment, ip, machine } = await dockerEnvironment(store, await machineName(store, given));
        if (options.socket) lines.push(...socketLines(machine, shell));
        else lines.push(...variables.map((name) => shell.set(name, environment[name])));
        if (process.platform === 'win32') lines.push(shell.set('COMPOSE_CONVERT_WINDOWS_PATHS', 'true'));
        if (!options.proxy) lines.push(shell.set(noProxyName(process.env), withNoProxy(process.env, ip)));
      }
      process.stdout.write(
        `${[...lines, shell.hint(['machine env', ...args].map(word).join(' '))].join('\n')}\n`,
      );
    });
}

/** A client that is told of certificates would speak TLS on the socket, too. */
function socketLines({ driver, paths, record }: Machine, shell: Shell): string[] {
  if (driver.whenOff === undefined)
    throw new FailedPrecondition(`machines of driver ${driver.name} have no socket; leave --socket away`);
  return [
    shell.unset('DOCKER_TLS_VERIFY'),
    shell.set('DOCKER_HOST', apiSocketOf(paths).url),
    shell.unset('DOCKER_CERT_PATH'),
    shell.set('DOCKER_MACHINE_NAME', record.Name),
  ];
}

/** Programs read either; what is set already is what they read. */
function noProxyName(env: NodeJS.ProcessEnv): 'NO_PROXY' | 'no_proxy' {
  return env.NO_PROXY === undefined && env.no_proxy !== undefined ? 'no_proxy' : 'NO_PROXY';
}

/** Appended once, however often the output is evaluated. */
function withNoProxy(env: NodeJS.ProcessEnv, ip: string): string {
  const hosts = (env[noProxyName(env)] ?? '').split(',').filter((host) => host !== '');
  return [...new Set([...hosts, ip])].join(',');
}

function word(text: string): string {
  return /\s/.test(text) && text !== 'machine env' ? `"${text}"` : text;
}
