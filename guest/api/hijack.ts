import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { rawStream, streamContentType } from './versions.ts';
import { webSocketAccept } from './web-socket.ts';

/** Listeners by which node:http feeds its parser; without them the connection is ours. */
const parserEvents = ['data', 'end', 'drain', 'timeout'] as const;

/**
 * Takes the connection from node:http and answers by hand: `101 UPGRADED` when the client asked for an
 * upgrade, else `200 OK` and raw bytes on the same connection (old clients; moby does the same). The
 * request body must have been read. The result is half-open both ways: its `end` event is the client's
 * CloseWrite, its `end()` ours. Read it (or `resume()` it), or a client that goes away is not noticed. The answer has
 * left when this resolves: node:http2 takes over the handle, and a write that ended there which it did not begin would
 * end the process (an assertion in `Http2Session::OnStreamAfterWrite`).
 */
export async function hijack(
  request: IncomingMessage,
  response: ServerResponse,
  options: {
    /** Whether node:http has the connection still, as it does where there is no `Connection: Upgrade`. */
    readonly parsed: boolean;
    readonly multiplexed: boolean;
    readonly apiMinor: number;
    readonly headers: Readonly<Record<string, string>>;
  },
): Promise<Duplex> {
  const socket = request.socket;
  const protocol = request.headers.upgrade;
  response.detachSocket(socket);
  if (options.parsed) releaseParser(socket);
  // A peer's reset arrives as an error; whoever holds the stream learns of it by `close`.
  socket.on('error', () => {});
  socket.setTimeout(0);
  const answer = head(protocol, { ...options, key: request.headers['sec-websocket-key'] });
  // A failure is a close, which the holder hears.
  await new Promise<void>((resolve) => socket.write(answer, () => resolve()));
  return socket;
}

/**
 * Node does this itself for upgrades only. Adding a `readable` listener takes the handle back from the
 * parser; taking it off again leaves the stream neither flowing nor paused, as new.
 */
function releaseParser(socket: Socket): void {
  for (const event of parserEvents) socket.removeAllListeners(event);
  const takeBack = () => {};
  socket.on('readable', takeBack);
  socket.off('readable', takeBack);
}

function head(
  protocol: string | undefined,
  options: {
    readonly multiplexed: boolean;
    readonly apiMinor: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly key: string | undefined;
  },
): string {
  const lines = protocol
    ? [
        `HTTP/1.1 101 ${protocol === 'tcp' ? 'UPGRADED' : 'Switching Protocols'}`,
        ...(protocol === 'tcp' ? [`Content-Type: ${streamContentType(options)}`] : []),
        'Connection: Upgrade',
        `Upgrade: ${protocol}`,
        ...(options.key === undefined ? [] : [`Sec-WebSocket-Accept: ${webSocketAccept(options.key)}`]),
      ]
    : ['HTTP/1.1 200 OK', `Content-Type: ${rawStream}`];
  for (const [name, value] of Object.entries(options.headers)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
