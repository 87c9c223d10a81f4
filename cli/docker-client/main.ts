import type { DockerCommand } from './command.ts';
import type { Connection } from './connection.ts';
import { EngineClient } from './engine-client.ts';
import { StartFailure, Usage } from './errors.ts';
import { type Flag, parseFlags } from './flags.ts';
import type { Streams } from './terminal.ts';

/** Each is loaded when it is called. */
const commands: Readonly<Record<string, () => Promise<{ readonly command: DockerCommand }>>> = {
  run: () => import('./commands/run.ts'),
  exec: () => import('./commands/exec.ts'),
  ps: () => import('./commands/ps.ts'),
  logs: () => import('./commands/logs.ts'),
  start: () => import('./commands/start.ts'),
  stop: () => import('./commands/stop.ts'),
  restart: () => import('./commands/restart.ts'),
  kill: () => import('./commands/kill.ts'),
  rm: () => import('./commands/rm.ts'),
  images: () => import('./commands/images.ts'),
  pull: () => import('./commands/pull.ts'),
  load: () => import('./commands/load.ts'),
  rmi: () => import('./commands/rmi.ts'),
  inspect: () => import('./commands/inspect.ts'),
  version: () => import('./commands/version.ts'),
};

const helpFlag: Flag = { name: 'help', kind: 'boolean', help: 'show this' };

const realClient = 'this is the small client of machine; for everything else, install the docker CLI';

/**
 * The built-in Docker client, for computers without a docker CLI. `argv` begins with the command's name.
 * Resolves with the exit code that docker would give: the container's own, or 125, 126, 127 where its
 * start failed; never rejects.
 */
export async function main(
  argv: readonly string[],
  connection: Connection,
  streams: Streams = process,
): Promise<number> {
  const [name = '', ...args] = argv;
  if (name === '' || name === 'help' || name === '--help' || name === '-h') {
    streams.stdout.write(await overview());
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name]! : null;
  if (!load) {
    streams.stderr.write(
      `unknown command "docker ${name}"; ${realClient}\nknown: ${Object.keys(commands).join(', ')}\n`,
    );
    return 1;
  }
  const { command } = await load();
  try {
    const known = [...command.flags, helpFlag];
    const flags = parseFlags(args, known, { stopAtWord: command.stopAtWord ?? false });
    if (flags.flag('help')) {
      streams.stdout.write(help(name, command));
      return 0;
    }
    checkWords(name, command, flags.words.length);
    return await command.run({ flags, engine: new EngineClient(connection), streams });
  } catch (error) {
    const { message } = error as Error;
    const hint = error instanceof Usage ? `\nsee: docker ${name} --help; ${realClient}` : '';
    streams.stderr.write(`${message}${hint}\n`);
    if (error instanceof StartFailure) return error.exitCode;
    return error instanceof Usage ? 125 : (command.failure ?? 1);
  }
}

function checkWords(name: string, command: DockerCommand, count: number): void {
  const { atLeast, atMost } = command.words;
  if (count >= atLeast && count <= atMost) return;
  throw new Usage(`docker ${name} takes ${command.usage.replace('[flags]', '').trim() || 'no arguments'}`);
}

async function overview(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(commands).map(
      async ([name, load]) => `  ${name.padEnd(9)} ${(await load()).command.summary}\n`,
    ),
  );
  return `Usage: docker COMMAND (${realClient})\n\n${lines.join('')}\nRun 'docker COMMAND --help' for its flags.\n`;
}

function help(name: string, { usage, summary, flags }: DockerCommand): string {
  const shown = (flag: Flag) =>
    `${flag.short ? `-${flag.short}, ` : '    '}--${flag.name}${flag.value ? ` ${flag.value}` : ''}`;
  const lines = flags.map((flag) => `  ${shown(flag).padEnd(28)} ${flag.help}\n`);
  return `Usage: docker ${name} ${usage}\n\n${summary}\n${lines.length > 0 ? `\n${lines.join('')}` : ''}`;
}
