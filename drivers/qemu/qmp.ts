import { EventEmitter, on, once } from 'node:events';
import type { Socket } from 'node:net';
import { MachineError, Unavailable } from '../errors.ts';
import type { Listener } from './args.ts';
import { connectChannel, linesOf } from './line-channel.ts';

/** QEMU said no to a command; `class` is QMP's error class. */
export class QmpError extends MachineError {
  readonly class: string;
  constructor(command: string, error: { readonly class: string; readonly desc: string }) {
    super(`QEMU refused ${command}: ${error.desc}`);
    this.class = error.class;
  }
}

export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Waiting {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A client of QEMU's machine protocol (docs/interop/qmp-spec in QEMU's sources): JSON lines, a greeting,
 * `qmp_capabilities`, then commands answered by id, with events in between. QEMU serves one client at a
 * time and keeps the next one waiting for its greeting: connect, ask, close.
 */
export class QmpClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #events = new EventEmitter();
  readonly #closed: Promise<void>;
  #lastId = 0;
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** With `once` the socket must be there already. Throws Unavailable when what answers is not QMP. */
  static async connect(
    listener: Listener,
    options: { readonly signal: AbortSignal; readonly once?: boolean },
  ): Promise<QmpClient> {
    const client = new QmpClient(await connectChannel(listener, options));
    const { signal } = options;
    const abort = () => client.#socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    try {
      const greeted = once(client.#events, 'greeting');
      void client.#read();
      await Promise.race([greeted, client.#closed.then(() => Promise.reject(gone()))]);
      await client.execute('qmp_capabilities');
      return client;
    } catch (error) {
      client.#socket.destroy();
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** What QEMU returns. Throws QmpError when it refuses and Unavailable when it is gone. */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(gone());
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { command, resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`);
    });
  }

  /** Events from now on, until QEMU is gone or `signal` aborts. */
  async *events(signal?: AbortSignal): AsyncGenerator<QmpEvent> {
    const ended = new AbortController();
    void this.#closed.then(() => ended.abort());
    const any = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal]);
    try {
      for await (const [event] of on(this.#events, 'event', { signal: any })) yield event as QmpEvent;
    } catch (error) {
      if (!any.aborted) throw error;
    }
  }

  /** Resolves when the connection has ended, which is also how QEMU's end is known. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }

  async #read(): Promise<void> {
    try {
      for await (const line of linesOf(this.#socket)) this.#take(line);
    } catch {
      // The connection's end is told to everyone below.
    }
    this.#isClosed = true;
    this.#socket.destroy();
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }

  #take(line: string): void {
    const message = parse(line);
    if (message === null) return void this.#socket.destroy();
    if ('QMP' in message) this.#events.emit('greeting');
    else if (typeof message.event === 'string')
      this.#events.emit('event', { event: message.event, data: message.data ?? {} });
    else this.#answer(message);
  }

  #answer(message: Readonly<Record<string, unknown>>): void {
    const id = message.id as number;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    const error = message.error as { class: string; desc: string } | undefined;
    if (error === undefined) waiting.resolve(message.return);
    else waiting.reject(new QmpError(waiting.command, error));
  }
}

function gone(): Unavailable {
  return new Unavailable('the connection to QEMU has ended');
}

function parse(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
