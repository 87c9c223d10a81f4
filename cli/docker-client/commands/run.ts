import type { Call, DockerCommand } from '../command.ts';
import type { EngineClient } from '../engine-client.ts';
import { EngineAnswer, StartFailure, Usage } from '../errors.ts';
import { pullImage } from '../pull-image.ts';
import { type CreateRequest, createRequest } from '../run-request.ts';
import { Session } from '../session.ts';
import { passSignals } from '../signals.ts';
import { print } from '../terminal.ts';

export const command: DockerCommand = {
  usage: '[flags] IMAGE [COMMAND] [ARG...]',
  summary: 'Run a command in a new container',
  flags: [
    { name: 'interactive', short: 'i', kind: 'boolean', help: 'send it what is typed or piped' },
    { name: 'tty', short: 't', kind: 'boolean', help: 'give it a terminal' },
    { name: 'detach', short: 'd', kind: 'boolean', help: 'print its id and leave it running' },
    { name: 'rm', kind: 'boolean', help: 'remove it when it ends' },
    { name: 'name', kind: 'text', value: 'NAME', help: 'its name' },
    {
      name: 'publish',
      short: 'p',
      kind: 'list',
      value: 'PORTS',
      help: '[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]',
    },
    { name: 'env', short: 'e', kind: 'list', value: 'NAME=VALUE', help: 'an environment variable' },
    {
      name: 'volume',
      short: 'v',
      kind: 'list',
      value: 'SOURCE:PATH',
      help: 'a volume or a directory to show',
    },
    { name: 'workdir', short: 'w', kind: 'text', value: 'PATH', help: 'where it starts' },
    { name: 'user', short: 'u', kind: 'text', value: 'USER', help: 'as whom' },
    { name: 'entrypoint', kind: 'text', value: 'PROGRAM', help: "instead of the image's" },
    { name: 'network', kind: 'text', value: 'NETWORK', help: 'bridge, host, none or container:NAME' },
  ],
  stopAtWord: true,
  words: { atLeast: 1, atMost: Number.POSITIVE_INFINITY },
  failure: 125,
  run,
};

interface Waited {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
}

async function run({ flags, engine, streams }: Call): Promise<number> {
  const request = createRequest(flags, process.env);
  if (request.AttachStdin && request.Tty && !streams.stdin.isTTY)
    throw new Usage('the input device is not a TTY');
  const id = await create(engine, request, { name: flags.text('name'), progress: streams.stderr });
  if (flags.flag('detach')) {
    await start(engine, id);
    await print(streams.stdout, `${id}\n`);
    return 0;
  }
  // Both are asked for before the start: afterwards the container could be gone already.
  const attached = await engine.hijack(`/containers/${id}/attach`, {
    query: { stream: 1, stdout: 1, stderr: 1, ...(request.AttachStdin ? { stdin: 1 } : {}) },
  });
  const condition = request.HostConfig.AutoRemove ? 'removed' : 'next-exit';
  const waiting = await engine.stream('POST', `/containers/${id}/wait`, { query: { condition } });
  const session = new Session(attached.socket, streams, {
    tty: request.Tty,
    stdin: request.AttachStdin,
    multiplexed: attached.multiplexed,
    resize: (size) => engine.json('POST', `/containers/${id}/resize`, { query: { ...size } }),
  });
  const stopPassing = passSignals((signal) =>
    engine.json('POST', `/containers/${id}/kill`, { query: { signal } }),
  );
  try {
    await start(engine, id).catch((error) => {
      waiting.destroy();
      attached.socket.destroy();
      throw error;
    });
    await session.begin();
    const [waited] = await Promise.all([readJson<Waited>(waiting), session.output]);
    if (waited.Error) throw new Error(waited.Error.Message);
    return waited.StatusCode;
  } finally {
    session.end();
    stopPassing();
  }
}

async function create(
  engine: EngineClient,
  body: CreateRequest,
  { name, progress }: { name: string | undefined; progress: NodeJS.WritableStream },
): Promise<string> {
  const post = async () =>
    (await engine.json<{ Id: string }>('POST', '/containers/create', { query: { name }, body })).Id;
  try {
    return await post();
  } catch (error) {
    const missing =
      error instanceof EngineAnswer && error.status === 404 && /no such image/i.test(error.message);
    if (!missing) throw error;
  }
  await print(progress, `Unable to find image '${body.Image}' locally\n`);
  await pullImage(engine, body.Image, progress);
  return post();
}

async function start(engine: EngineClient, id: string): Promise<void> {
  await engine.json('POST', `/containers/${id}/start`).catch((error) => {
    throw error instanceof EngineAnswer ? new StartFailure(error.message) : error;
  });
}

async function readJson<T>(stream: NodeJS.ReadableStream): Promise<T> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return JSON.parse(text) as T;
}
