import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { main } from '../../../cli/docker-client/main.ts';

type Answer = { readonly status?: number; readonly json?: unknown; readonly type?: string };
type Handler = (request: IncomingMessage, body: string) => Answer | Promise<Answer>;

/** Answers as an engine would, by `METHOD /path` without version and query; remembers what was asked. */
export class FakeEngine {
  readonly asked: string[] = [];
  readonly bodies: unknown[] = [];
  readonly socketPath: string;
  readonly #server: Server;

  private constructor(
    socketPath: string,
    handlers: Readonly<Record<string, Handler>>,
    hijacked: (socket: Duplex, path: string) => void,
  ) {
    this.socketPath = socketPath;
    this.#server = createServer(async (request, response) => {
      const key = this.#note(request);
      const body = await text(request);
      if (body !== '') this.bodies.push(JSON.parse(body));
      const handler = handlers[key];
      const answer = handler
        ? await handler(request, body)
        : { status: 404, json: { message: 'page not found' } };
      response.writeHead(answer.status ?? (answer.json === undefined ? 204 : 200), {
        'Content-Type': answer.type ?? 'application/json',
      });
      response.end(Buffer.isBuffer(answer.json) ? answer.json : answer.json && JSON.stringify(answer.json));
    });
    this.#server.on('upgrade', (request, socket, head) => {
      const key = this.#note(request);
      if (head.length > 0) this.bodies.push(JSON.parse(head.toString()));
      const type = handlers[key] ? 'raw' : 'multiplexed';
      socket.write(
        `HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.${type}-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
      );
      hijacked(socket, key);
    });
  }

  static async open(
    t: Test,
    handlers: Readonly<Record<string, Handler>>,
    hijacked: (socket: Duplex, path: string) => void = (socket) => void socket.end(),
  ): Promise<FakeEngine> {
    const directory = await mkdtemp(join(tmpdir(), 'md-'));
    const engine = new FakeEngine(join(directory, 's'), handlers, hijacked);
    await new Promise<void>((resolve) => engine.#server.listen(engine.socketPath, resolve));
    t.teardown(async () => {
      engine.#server.close();
      await rm(directory, { recursive: true });
    });
    return engine;
  }

  /** Runs the client as a person would; `input` is typed or piped, null leaves stdin open. */
  async client(
    args: readonly string[],
    { input = '', tty = false }: { input?: string | null; tty?: boolean } = {},
  ) {
    const raw: boolean[] = [];
    const stdin = Object.assign(new PassThrough(), { isTTY: tty, setRawMode: (on: boolean) => raw.push(on) });
    const stdout = Object.assign(new PassThrough(), { isTTY: tty, rows: 24, columns: 80 });
    const stderr = new PassThrough();
    if (input !== null) stdin.end(input);
    const printed = Promise.all([buffer(stdout), buffer(stderr)]);
    const exitCode = await main(args, this, {
      stdin: stdin as never,
      stdout,
      stderr,
    });
    stdout.end();
    stderr.end();
    const [out, err] = await printed;
    return { exitCode, stdout: out.toString(), stderr: err.toString(), raw };
  }

  #note(request: IncomingMessage): string {
    const path = request.url!.replace(/^\/v1\.\d+/, '');
    this.asked.push(`${request.method} ${path.replace(/\?$/, '')}`);
    return `${request.method} ${path.split('?')[0]}`;
  }
}

/** One frame of a multiplexed stream. */
export function frame(kind: 1 | 2, data: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(Buffer.byteLength(data), 4);
  return Buffer.concat([header, Buffer.from(data)]);
}
