import type { Call, DockerCommand } from '../command.ts';
import { Usage } from '../errors.ts';
import { variables } from '../run-request.ts';
import { Session } from '../session.ts';

export const command: DockerCommand = {
  usage: '[flags] CONTAINER COMMAND [ARG...]',
  summary: 'Run a command in a running container',
  flags: [
    { name: 'interactive', short: 'i', kind: 'boolean', help: 'send it what is typed or piped' },
    { name: 'tty', short: 't', kind: 'boolean', help: 'give it a terminal' },
    { name: 'detach', short: 'd', kind: 'boolean', help: 'leave it running' },
    { name: 'env', short: 'e', kind: 'list', value: 'NAME=VALUE', help: 'an environment variable' },
    { name: 'workdir', short: 'w', kind: 'text', value: 'PATH', help: 'where it starts' },
    { name: 'user', short: 'u', kind: 'text', value: 'USER', help: 'as whom' },
  ],
  stopAtWord: true,
  words: { atLeast: 2, atMost: Number.POSITIVE_INFINITY },
  run,
};

async function run({ flags, engine, streams }: Call): Promise<number> {
  const [container, ...words] = flags.words;
  const tty = flags.flag('tty');
  const detached = flags.flag('detach');
  const stdin = flags.flag('interactive') && !detached;
  if (stdin && tty && !streams.stdin.isTTY) throw new Usage('the input device is not a TTY');
  const { Id } = await engine.json<{ Id: string }>(
    'POST',
    `/containers/${encodeURIComponent(container!)}/exec`,
    {
      body: {
        AttachStdin: stdin,
        AttachStdout: !detached,
        AttachStderr: !detached,
        Tty: tty,
        Cmd: words,
        Env: variables(flags.list('env'), process.env),
        User: flags.text('user') ?? '',
        WorkingDir: flags.text('workdir') ?? '',
      },
    },
  );
  const body = { Detach: detached, Tty: tty };
  if (detached) {
    await engine.json('POST', `/exec/${Id}/start`, { body });
    return 0;
  }
  const { socket, multiplexed } = await engine.hijack(`/exec/${Id}/start`, { body });
  const session = new Session(socket, streams, {
    tty,
    stdin,
    multiplexed,
    resize: (size) => engine.json('POST', `/exec/${Id}/resize`, { query: { ...size } }),
  });
  try {
    await session.begin();
    await session.output;
  } finally {
    session.end();
  }
  return (await engine.json<{ ExitCode: number }>('GET', `/exec/${Id}/json`)).ExitCode;
}
