import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { messageOf } from '../error-message.ts';
import { httpStatus } from '../errors.ts';
import type { Reply } from './handler.ts';

/** Sends what a route answered. Resolves when all of it is handed to the connection, or the client is gone. */
export async function sendReply(response: ServerResponse, reply: Reply): Promise<void> {
  if ('hijacked' in reply) return;
  response.statusCode = reply.status ?? 200;
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if ('stream' in reply) {
    response.setHeader('Content-Type', reply.contentType);
    return sendStream(response, reply.stream, reply.contentType.startsWith('application/json'));
  }
  if ('json' in reply) sendText(response, 'application/json', `${JSON.stringify(reply.json)}\n`);
  else if ('text' in reply) sendText(response, 'text/plain; charset=utf-8', reply.text);
  else response.end();
}

/**
 * An error before anything was sent is a status and `{"message"}`; afterwards the connection is cut, which
 * is all that HTTP leaves to say.
 */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = httpStatus(error);
  // The rest of the body will not be read.
  if (response.statusCode === 413) response.setHeader('Connection', 'close');
  if (response.statusCode === 304) response.end();
  else sendText(response, 'application/json', `${JSON.stringify({ message: messageOf(error) })}\n`);
}

function sendText(response: ServerResponse, contentType: string, text: string): void {
  response.setHeader('Content-Type', contentType);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/**
 * The header goes out at once: `docker run` waits for that of `/wait` before it starts the container. Together with what
 * there is to say already.
 */
function sendStream(response: ServerResponse, stream: Readable, isJson: boolean): Promise<void> {
  if (stream.readableLength === 0) response.flushHeaders();
  return new Promise((resolve) => {
    response.on('close', () => {
      stream.destroy();
      resolve();
    });
    stream.on('error', (error) => {
      if (isJson && response.writable) response.end(errorLine(error));
      else response.destroy();
    });
    stream.pipe(response);
    // The source died without an end or an error: an answer cut short must not look whole.
    stream.on('close', () => {
      if (!stream.readableEnded && !stream.errored) response.destroy();
    });
  });
}

/** The last line of a JSON stream that failed under way (moby, streamformatter). */
export function errorLine(error: unknown): string {
  const message = messageOf(error);
  return `${JSON.stringify({ errorDetail: { message }, error: message })}\r\n`;
}
