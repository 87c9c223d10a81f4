import { type ClientHttp2Session, connect } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Message } from '../wire/message.ts';
import { drained } from './drained.ts';
import { frame, unframe } from './frames.ts';
import { codes, GrpcError, statusOf } from './status.ts';

export type Metadata = Readonly<Record<string, string | readonly string[]>>;

export interface CallOptions {
  readonly metadata?: Metadata;
  readonly signal: AbortSignal;
}

/** A call that is under way: both sides send when they like. */
export interface Call<Q, A> {
  send(message: Q): Promise<void>;
  /** No more will be sent. */
  finish(): void;
  /** To be read once. Throws the call's status when it is not "ok". */
  readonly messages: AsyncIterable<A>;
}

/** What the other end of a session is asked with. */
export interface GrpcClient {
  /** Throws GrpcError. */
  unary<Q, A>(
    path: string,
    request: Message<Q>,
    answer: Message<A>,
    value: Q,
    options: CallOptions,
  ): Promise<A>;
  stream<Q, A>(path: string, request: Message<Q>, answer: Message<A>, options: CallOptions): Call<Q, A>;
  readonly closed: Promise<void>;
  close(): void;
}

/** 64 KiB, the default, would make a context wait for the round trips of a machine's forwarded port. */
const windowBytes = 4 * 1024 * 1024;

/** A gRPC client on a connection that is already there, to a server that waits for HTTP/2's first words. */
export function createGrpcClient(connection: Duplex): GrpcClient {
  let taken = false;
  const session = connect('http://localhost', {
    createConnection() {
      if (taken) throw new Error('one connection carries one session');
      taken = true;
      return connection;
    },
    settings: { enablePush: false, initialWindowSize: windowBytes },
  });
  session.on('error', () => {});
  session.on('connect', () => session.setLocalWindowSize(4 * windowBytes));
  return new SessionClient(session);
}

class SessionClient implements GrpcClient {
  readonly #session: ClientHttp2Session;
  readonly closed: Promise<void>;

  constructor(session: ClientHttp2Session) {
    this.#session = session;
    this.closed = new Promise((resolve) => session.once('close', resolve));
  }

  close(): void {
    this.#session.destroy();
  }

  async unary<Q, A>(
    path: string,
    request: Message<Q>,
    answer: Message<A>,
    value: Q,
    options: CallOptions,
  ): Promise<A> {
    const call = this.stream(path, request, answer, options);
    await call.send(value);
    call.finish();
    let result: A | undefined;
    for await (const message of call.messages) result = message;
    if (result === undefined) throw new GrpcError(codes.internal, `${path} answered nothing`);
    return result;
  }

  stream<Q, A>(
    path: string,
    request: Message<Q>,
    answer: Message<A>,
    { metadata = {}, signal }: CallOptions,
  ): Call<Q, A> {
    signal.throwIfAborted();
    if (this.#session.destroyed) throw new GrpcError(codes.unavailable, 'the client has gone away');
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(metadata as Record<string, string | string[]>),
    });
    const cancel = () => stream.destroy(signal.reason as Error);
    signal.addEventListener('abort', cancel, { once: true });
    let status: GrpcError | null | undefined;
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) status = statusOf(headers);
      else if (headers[':status'] !== 200)
        status = new GrpcError(codes.unavailable, `HTTP status ${headers[':status']}`);
    });
    stream.on('trailers', (headers) => {
      status = statusOf(headers);
    });
    stream.on('error', () => {});
    stream.on('close', () => signal.removeEventListener('abort', cancel));

    async function* messages(): AsyncGenerator<A, void> {
      try {
        for await (const message of unframe(stream)) yield answer.decode(message);
      } catch (error) {
        signal.throwIfAborted();
        if (status) throw status;
        throw error;
      }
      if (status) throw status;
      if (status === undefined) throw new GrpcError(codes.unavailable, 'the client has gone away');
    }
    return {
      messages: messages(),
      finish: () => void stream.end(),
      async send(message) {
        signal.throwIfAborted();
        // What the other end says about it, is said by `messages`.
        if (stream.destroyed || stream.writableEnded) return;
        if (!stream.write(frame(request.encode(message)))) await drained(stream);
      },
    };
  }
}
