import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Connection, send } from './connection.ts';
import { EngineAnswer } from './errors.ts';

/** The oldest API version that has everything this client uses; newer engines speak it too. */
const apiVersion = '1.44';

export interface CallOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, chunked. */
  readonly upload?: { readonly content: Readable; readonly type: string };
}

/** Speaks the Docker Engine API. Every call throws EngineAnswer when the engine answers with an error. */
export class EngineClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Null for an answer without a body. */
  async json<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const body = await text(await this.stream(method, path, options));
    return (body === '' ? null : JSON.parse(body)) as T;
  }

  /** Resolves as soon as the engine has begun to answer. */
  stream(method: string, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = this.#request(method, path, options);
      request.on('error', reject);
      request.on('response', (response) => {
        if (response.statusCode! < 400) resolve(response);
        else answer(response).then(reject, reject);
      });
      finish(request, options);
    });
  }

  /** Turns the request's connection into a bare one, both ways; `multiplexed`: in frames (frames.ts). */
  hijack(
    path: string,
    options: CallOptions = {},
  ): Promise<{ readonly socket: Duplex; readonly multiplexed: boolean }> {
    return new Promise((resolve, reject) => {
      const request = this.#request('POST', path, options, { Connection: 'Upgrade', Upgrade: 'tcp' });
      request.on('error', reject);
      request.on('response', (response) => {
        answer(response).then(reject, reject);
      });
      request.on('upgrade', (response, socket, head) => {
        // What came with the header belongs to the stream.
        if (head.length > 0) socket.unshift(head);
        const type = response.headers['content-type'] ?? '';
        resolve({ socket, multiplexed: type.includes('multiplexed-stream') });
      });
      finish(request, options);
    });
  }

  #request(
    method: string,
    path: string,
    options: CallOptions,
    more: Readonly<Record<string, string>> = {},
  ): ClientRequest {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== undefined) query.set(name, String(value));
    }
    const type = options.upload?.type ?? (options.body === undefined ? undefined : 'application/json');
    const headers = { ...more, ...(type === undefined ? {} : { 'Content-Type': type }) };
    return send(this.#connection, { method, path: `/v${apiVersion}${path}?${query}`, headers });
  }
}

function finish(request: ClientRequest, { body, upload }: CallOptions): void {
  if (upload) {
    upload.content.on('error', (error) => request.destroy(error)).pipe(request);
  } else if (body === undefined) {
    request.end();
  } else {
    const bytes = Buffer.from(JSON.stringify(body));
    request.setHeader('Content-Length', bytes.length);
    request.end(bytes);
  }
}

async function answer(response: IncomingMessage): Promise<EngineAnswer> {
  const body = await text(response);
  return new EngineAnswer(response.statusCode!, sentence(body) ?? (body.trim() || response.statusMessage!));
}

function sentence(body: string): string | null {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === 'string' ? message : null;
  } catch {
    return null;
  }
}
