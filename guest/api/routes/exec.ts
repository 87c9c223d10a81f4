import type { Containers } from '../../containers/containers.ts';
import type { ExecSession } from '../../exec/exec-session.ts';
import type { ExecSessions } from '../../exec/exec-sessions.ts';
import { frame } from '../../frames.ts';
import { bodies } from '../../schema/bodies.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/** Commands in running containers. */
export function execRoutes({
  containers,
  execs,
}: {
  readonly containers: Containers;
  readonly execs: ExecSessions;
}): Route[] {
  const find = ({ params }: ApiRequest) => execs.get(params.id!);
  return [
    {
      method: 'POST',
      path: '/containers/:id/exec',
      async handle(request) {
        const asked = await request.json((await bodies()).execBody);
        const container = containers.get(request.params.id!);
        const body = request.apiMinor < 42 ? { ...asked, ConsoleSize: null } : asked;
        return { status: 201, json: { Id: execs.create(container, body, request.params.id).id } };
      },
    },
    { method: 'POST', path: '/exec/:id/start', handle: start },
    {
      method: 'POST',
      path: '/exec/:id/resize',
      async handle(request) {
        const { query } = request;
        const size = { rows: query.required('h'), columns: query.required('w') };
        await find(request).resize(size);
        return { status: 200 };
      },
    },
    { method: 'GET', path: '/exec/:id/json', handle: (request) => ({ json: inspectShape(find(request)) }) },
  ];

  async function start(request: ApiRequest): Promise<Reply> {
    const { Detach, Tty: raw, ConsoleSize } = await request.json((await bodies()).execStartBody);
    const session = find(request);
    const [rows = 0, columns = 0] = (request.apiMinor >= 42 && raw && ConsoleSize) || [];
    const size = rows > 0 && columns > 0 ? { size: { rows, columns } } : {};
    if (Detach) {
      session.claim();
      await session.start({ connection: null, raw, ...size });
      return { status: 200 };
    }
    session.container.check('exec');
    // As dockerd: who starts it says whether there are frames, whatever its creator said of a terminal.
    const connection = await request.hijack({ multiplexed: !raw });
    try {
      session.claim();
      await session.start({ connection, raw, ...size });
    } catch (error) {
      // The answer has begun: the message goes where the output would have gone, as with dockerd. That a command is
      // running already, too: compose watch starts each one a second time, and takes a 409 for a failure.
      connection.resume();
      const text = Buffer.from(`${error instanceof Error ? error.message : error}\r\n`);
      connection.end(raw ? text : frame('stdout', text));
    }
    return { hijacked: true };
  }
}

function inspectShape(session: ExecSession): object {
  const { body, container } = session;
  const [entrypoint = '', ...args] = body.Cmd ?? [];
  return {
    ID: session.id,
    Running: session.running,
    ExitCode: session.exitCode,
    ProcessConfig: {
      tty: body.Tty,
      entrypoint,
      arguments: args,
      privileged: body.Privileged,
      ...(body.User ? { user: body.User } : {}),
    },
    OpenStdin: body.AttachStdin,
    OpenStderr: body.AttachStderr,
    OpenStdout: body.AttachStdout,
    CanRemove: false,
    ContainerID: container.id,
    DetachKeys: '',
    Pid: session.pid,
  };
}
