import type { IncomingHttpHeaders } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { InvalidParameter } from '../errors.ts';
import { maxJsonBytes, tooLarge } from './body.ts';

/** What a request carries. */
export interface RequestBody {
  readonly stream: Readable;
  /** Called before the connection is handed over: nothing of the body is left in it. */
  finish(): Promise<void>;
  /** Called before a refusal: reads what is left, if it is little and comes soon. */
  discard(): Promise<void>;
}

/** Of a request that Node parses to its end. */
export function plainBody(stream: Readable): RequestBody {
  return { stream, finish: () => drain(stream), discard: () => discardRest(stream) };
}

/** The end of a chunked body; for who has none to send, all of it. */
const lastChunk = Buffer.from('0\r\n\r\n');
/** Of a line with a chunk's size, or of a trailer. */
const longestLine = 1024;

/**
 * Of a request that asks for an upgrade: Node gives it to nobody, it is in front of what the connection carries then.
 * Throws InvalidParameter when the client goes away before all of the length is there that it announced.
 * A chunked body is read when somebody asks for it. Nobody asking, clients differ in whether it ends at all:
 * docker-modem ends it at once when it has nothing to send, and leaves it open when its stream will carry input.
 */
export async function upgradeBody(connection: Duplex, headers: IncomingHttpHeaders): Promise<RequestBody> {
  if (headers['transfer-encoding'] === undefined) {
    const bytes = await takeBytes(connection, Number(headers['content-length'] ?? 0));
    return plainBody(Readable.from(bytes.length > 0 ? [bytes] : []));
  }
  let isAsked = false;
  const stream = Readable.from(
    (async function* () {
      isAsked = true;
      yield* chunks(connection);
    })(),
  );
  return {
    stream,
    async finish() {
      if (isAsked) await drain(stream);
      else dropFromFront(connection, lastChunk);
    },
    // It may never end.
    discard: async () => {},
  };
}

/** What Go's server reads of a body before it answers (net/http, maxPostHandlerReadBytes). */
const discardedBytes = 256 * 1024;

/**
 * Reads what is left of a refused request, if that is little and comes soon: a Go client that is answered while it
 * sends says that its pipe was closed, not only why.
 */
async function discardRest(body: Readable): Promise<void> {
  if (body.readableEnded || body.destroyed) return;
  const rest = async () => {
    let left = discardedBytes;
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      left -= (chunk as Buffer).length;
      if (left <= 0) return;
    }
  };
  await Promise.race([rest().catch(() => {}), setTimeout(3000, undefined, { ref: false })]);
}

async function drain(stream: Readable): Promise<void> {
  if (stream.readableEnded) return;
  for await (const _ of stream);
}

/** The chunks' bytes, trailers excluded (RFC 9112, section 7.1). */
async function* chunks(connection: Duplex): AsyncGenerator<Buffer> {
  while (true) {
    const line = await takeLine(connection);
    const size = /^[0-9a-f]{1,8}(?=[ \t]*(?:;|$))/i.exec(line);
    if (size === null) throw new InvalidParameter('invalid chunk of the body');
    const length = Number.parseInt(size[0], 16);
    if (length === 0) break;
    yield await takeBytes(connection, length);
    if ((await takeLine(connection)) !== '') throw new InvalidParameter('invalid end of a chunk of the body');
  }
  while ((await takeLine(connection)) !== '');
}

async function takeLine(connection: Duplex): Promise<string> {
  let line = '';
  while (!line.endsWith('\n')) {
    if (line.length > longestLine) throw new InvalidParameter('too long a line in the chunked body');
    line += (await takeBytes(connection, 1)).toString('latin1');
  }
  return line.replace(/\r?\n$/, '');
}

function dropFromFront(connection: Duplex, unwanted: Buffer): void {
  const found = connection.read(unwanted.length) as Buffer | null;
  if (found !== null && !found.equals(unwanted)) connection.unshift(found);
}

/**
 * Takes exactly `length` bytes from the front of a paused connection and leaves the rest in it. Throws when the client
 * goes away first.
 */
async function takeBytes(connection: Duplex, length: number): Promise<Buffer> {
  if (length > maxJsonBytes) throw tooLarge();
  const taken: Buffer[] = [];
  let missing = length;
  while (missing > 0) {
    const chunk = connection.read() as Buffer | null;
    if (chunk === null) {
      if (connection.destroyed || connection.readableEnded) {
        throw new InvalidParameter(`unexpected end of body; ${missing} bytes are missing`);
      }
      await moreOrEnd(connection);
      continue;
    }
    if (chunk.length > missing) connection.unshift(chunk.subarray(missing));
    taken.push(chunk.subarray(0, missing));
    missing -= Math.min(missing, chunk.length);
  }
  return Buffer.concat(taken);
}

function moreOrEnd(connection: Duplex): Promise<void> {
  const events = ['readable', 'end', 'close', 'error'] as const;
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) connection.off(event, done);
      resolve();
    };
    for (const event of events) connection.on(event, done);
  });
}
