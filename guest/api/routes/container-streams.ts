import { type Duplex, Readable } from 'node:stream';
import type { Container } from '../../containers/container.ts';
import type { Containers } from '../../containers/containers.ts';
import { defaultDetachKeys, parseDetachKeys } from '../../containers/detach-keys.ts';
import { type WaitCondition, waitConditions } from '../../containers/exits.ts';
import { messageOf } from '../../error-message.ts';
import { httpStatus, InvalidParameter, NotImplemented } from '../../errors.ts';
import { logStream, parseLogTime } from '../../logs/log-stream.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';
import { rawStream, streamContentType } from '../versions.ts';
import { WebSocketStream } from '../web-socket.ts';

/** What a client holds on to while a container lives: its streams, its log, its end. */
export function containerStreamRoutes(containers: Containers): Route[] {
  const find = ({ params }: ApiRequest) => containers.get(params.id!);
  return [
    { method: 'POST', path: '/containers/:id/attach', handle: attach },
    { method: 'GET', path: '/containers/:id/attach/ws', handle: attachWebSocket },
    { method: 'GET', path: '/containers/:id/logs', handle: logs },
    { method: 'POST', path: '/containers/:id/wait', handle: wait },
    { method: 'POST', path: '/containers/:id/resize', handle: resize },
  ];

  async function attach(request: ApiRequest): Promise<Reply> {
    let container: Container;
    let wish: ReturnType<typeof attachWish>;
    try {
      container = find(request);
      wish = attachWish(request, container);
    } catch (error) {
      // moby has taken the connection over by then, and says it as bytes of the stream's type.
      return {
        status: httpStatus(error),
        stream: Readable.from([`${messageOf(error)}\r\n`]),
        contentType: rawStream,
      };
    }
    const terminal = container.record.config.Tty;
    const connection = await request.hijack({ multiplexed: !terminal });
    return join(request, container, { connection, ...wish, raw: terminal });
  }

  async function attachWebSocket(request: ApiRequest): Promise<Reply> {
    const { headers } = request;
    const container = find(request);
    if (headers.upgrade?.toLowerCase() !== 'websocket' || headers['sec-websocket-key'] === undefined)
      throw new InvalidParameter('bad request: not a WebSocket handshake; attach with POST does without');
    const wish = attachWish(request, container);
    const connection = new WebSocketStream(await request.hijack({ multiplexed: false }), {
      text: request.apiMinor < 28,
    });
    // Before 1.42 there was no choice among them.
    const all = request.apiMinor < 42 && { stdin: true, stdout: true, stderr: true };
    return join(request, container, { connection, ...wish, ...all, raw: true });
  }

  /** What can be wrong is found before the connection is taken over. */
  function attachWish({ query, params }: ApiRequest, container: Container) {
    container.check('attach', params.id);
    return {
      detachKeys: parseDetachKeys(query.text('detachKeys') || defaultDetachKeys),
      stdin: query.flag('stdin'),
      stdout: query.flag('stdout'),
      stderr: query.flag('stderr'),
    };
  }

  /** First the past, when it is asked for, then what comes. */
  async function join(
    { query, signal }: ApiRequest,
    container: Container,
    {
      connection,
      detachKeys,
      raw,
      stdin,
      ...streams
    }: { connection: Duplex; raw: boolean } & ReturnType<typeof attachWish>,
  ): Promise<Reply> {
    const past =
      query.flag('logs') && container.log
        ? logStream(
            container.log,
            { ...streams, ...wholeLog, terminal: raw },
            { signal, ended: container.logEnded },
          )
        : undefined;
    if (query.flag('stream')) container.attach(connection, { ...streams, stdin, detachKeys, raw }, past);
    else {
      for await (const chunk of past ?? []) connection.write(chunk);
      connection.end();
    }
    return { hijacked: true };
  }

  function logs(request: ApiRequest): Reply {
    const { query } = request;
    const container = find(request);
    const streams = { stdout: query.flag('stdout'), stderr: query.flag('stderr') };
    if (!streams.stdout && !streams.stderr)
      throw new InvalidParameter('Bad parameters: you must choose at least one stream');
    if (!container.log) throw new NotImplemented('configured logging driver does not support reading');
    const terminal = container.record.config.Tty;
    const stream = logStream(
      container.log,
      {
        ...streams,
        terminal,
        follow: query.flag('follow'),
        tail: parseTail(query.text('tail')),
        since: parseLogTime(query.text('since'), 'since'),
        until: parseLogTime(query.text('until'), 'until'),
        timestamps: query.flag('timestamps'),
        details: query.flag('details'),
      },
      { signal: request.signal, ended: container.logEnded },
    );
    const { apiMinor } = request;
    return { stream, contentType: terminal ? rawStream : streamContentType({ multiplexed: true, apiMinor }) };
  }

  /** The header goes out at once: the CLI waits for it before it starts the container. */
  function wait(request: ApiRequest): Reply {
    const container = find(request);
    // Before 1.30 there was none.
    const asked = request.apiMinor < 30 ? '' : request.query.text('condition');
    const condition = (asked || 'not-running') as WaitCondition;
    if (!waitConditions.includes(condition)) throw new InvalidParameter(`invalid condition: "${condition}"`);
    const result = container.wait(condition, request.signal);
    async function* answer() {
      const { exitCode, error } = await result;
      yield `${JSON.stringify({ StatusCode: exitCode, ...(error ? { Error: { Message: error } } : {}) })}\n`;
    }
    return { stream: Readable.from(answer(), { objectMode: false }), contentType: 'application/json' };
  }

  async function resize(request: ApiRequest): Promise<Reply> {
    const { query } = request;
    const size = { rows: query.required('h'), columns: query.required('w') };
    await find(request).resize(size);
    return { status: 200 };
  }
}

/** What `attach` with `logs=1` gives first. */
const wholeLog = { follow: false, tail: null, since: null, until: null, timestamps: false, details: false };

function parseTail(text: string | undefined): number | null {
  if (text === undefined || text === '' || text === 'all') return null;
  return /^\d+$/.test(text) ? Number(text) : null;
}
