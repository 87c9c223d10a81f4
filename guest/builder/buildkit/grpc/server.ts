import { once } from 'node:events';
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Message } from '../wire/message.ts';
import { drained } from './drained.ts';
import { frame, unframe } from './frames.ts';
import { codes, GrpcError, statusHeaders, toGrpcError } from './status.ts';

export interface CallContext {
  readonly metadata: IncomingHttpHeaders;
  /** Aborted when the client cancels the call or goes away. */
  readonly signal: AbortSignal;
}

/** Answers one call: takes its messages, sends others. What it throws is the call's status. */
export type Method = (
  messages: AsyncIterable<Buffer>,
  send: (message: Uint8Array) => Promise<void>,
  context: CallContext,
) => Promise<void>;

/** By path: `/grpc.health.v1.Health/Check`. */
export type Methods = ReadonlyMap<string, Method>;

/** One message in, one out. */
export function unary<Q, A>(
  request: Message<Q>,
  answer: Message<A>,
  handle: (request: Q, context: CallContext) => Promise<A> | A,
): Method {
  return async (messages, send, context) => {
    await send(answer.encode(await handle(await only(request, messages), context)));
  };
}

/** One message in, as many out as there come. */
export function streaming<Q, A>(
  request: Message<Q>,
  answer: Message<A>,
  handle: (request: Q, context: CallContext) => AsyncIterable<A>,
): Method {
  return async (messages, send, context) => {
    for await (const message of handle(await only(request, messages), context))
      await send(answer.encode(message));
  };
}

async function only<Q>(request: Message<Q>, messages: AsyncIterable<Buffer>): Promise<Q> {
  for await (const message of messages) return request.decode(message);
  throw new GrpcError(codes.internal, 'a call without a message');
}

/**
 * Serves gRPC on a connection that speaks HTTP/2 from its next byte on (an upgrade to `h2c`). Resolves when the
 * connection has ended; nothing that the client does makes it reject.
 *
 * @param options.onError what a method threw that is not a status: a mistake of ours
 */
export async function serveGrpc(
  connection: Duplex,
  methods: Methods,
  { signal, onError }: { readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
): Promise<void> {
  // An error's details hold the Dockerfile: more than nghttp2 would send as headers.
  const session = performServerHandshake(connection, { maxSendHeaderBlockLength: 4 * 1024 * 1024 });
  session.on('error', () => {});
  session.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    void answer(stream, headers, methods, onError);
  });
  const leave = () => session.destroy();
  signal.addEventListener('abort', leave);
  if (!session.destroyed) await once(session, 'close').catch(() => {});
  signal.removeEventListener('abort', leave);
  connection.destroy();
}

async function answer(
  stream: ServerHttp2Stream,
  metadata: IncomingHttpHeaders,
  methods: Methods,
  onError: (error: unknown) => void,
): Promise<void> {
  const path = String(metadata[':path']);
  const method = methods.get(path);
  if (!method) {
    end(stream, new GrpcError(codes.unimplemented, `this engine has no method ${path}`));
    return;
  }
  const gone = new AbortController();
  stream.on('close', () => gone.abort(new GrpcError(codes.cancelled, 'the client cancelled')));
  try {
    // The client's end of a call stays open for what is to come after this method has read its fill.
    const messages = unframe(stream.iterator({ destroyOnReturn: false }));
    await method(messages, (message) => write(stream, message), { metadata, signal: gone.signal });
    end(stream, null);
  } catch (error) {
    const status = toGrpcError(error);
    if (!(error instanceof GrpcError) && status.code === codes.unknown && !gone.signal.aborted)
      onError(error);
    end(stream, status);
  }
}

const responseHeaders = { ':status': 200, 'content-type': 'application/grpc' };

async function write(stream: ServerHttp2Stream, message: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.closed) throw new GrpcError(codes.cancelled, 'the client cancelled');
  respond(stream);
  if (!stream.write(frame(message))) await drained(stream);
}

/** Headers now, the status when all has been sent. */
function respond(stream: ServerHttp2Stream): void {
  if (!stream.headersSent) stream.respond(responseHeaders, { waitForTrailers: true });
}

function end(stream: ServerHttp2Stream, error: GrpcError | null): void {
  if (stream.destroyed || stream.closed) return;
  respond(stream);
  stream.on('wantTrailers', () => stream.sendTrailers(statusHeaders(error)));
  stream.end();
}
