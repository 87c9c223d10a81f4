import { chmod, chown, rm } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { httpStatus, InvalidParameter, NotFound } from '../errors.ts';
import type { Logger } from '../log.ts';
import { readJson } from './body.ts';
import { ClientCount } from './client-count.ts';
import type { Reply, Route } from './handler.ts';
import { hijack } from './hijack.ts';
import { createQuery } from './query.ts';
import { sendError, sendReply } from './reply.ts';
import { plainBody, type RequestBody, upgradeBody } from './request-body.ts';
import { createRouter } from './router.ts';
import { apiVersion, engineVersion, stripVersion } from './versions.ts';

/** PEM texts; clients must present a certificate of `ca`. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface ApiServer {
  /** Replaces a stale socket file. Only root and `group` may connect. */
  listenUnix(path: string, options?: { readonly gid?: number }): Promise<void>;
  /** Mutual TLS 1.2+. Resolves with the port, which is a free one when 0 was asked for. */
  listenTls(host: string, port: number, material: TlsMaterial): Promise<number>;
  /** New connections use the new certificate; open ones go on undisturbed. */
  renewTls(material: TlsMaterial): void;
  /** Requests wait for this before they are handled; pings do not. */
  holdUntil(settled: Promise<void>): void;
  /** How long nobody has been connected; zero while somebody is. */
  idleMs(): number;
  /** Stops listening, tells every request that it is over and cuts all connections. */
  close(): Promise<void>;
}

/** On every answer, as dockerd does. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'Api-Version': apiVersion,
  'Docker-Experimental': 'false',
  Ostype: 'linux',
  Server: `Docker/${engineVersion} (linux)`,
};

/**
 * The HTTP side of the engine: one request in, one route's reply out. Errors become statuses here and
 * nowhere else; nothing a client sends, or how it goes away, may end the process.
 */
export function createApiServer(options: {
  readonly routes: readonly Route[];
  readonly log: Logger;
  /** How long a client may take to its first request, and to the whole head of any. */
  readonly headersTimeoutMs?: number;
}): ApiServer {
  const { log, headersTimeoutMs = 30_000 } = options;
  const serverOptions = {
    keepAlive: true,
    connectionsCheckingInterval: headersTimeoutMs,
    /**
     * GET with another `Upgrade` header than those here is a client that would rather speak HTTP/2; it can be answered
     * in HTTP/1. Ours (wire/) begin with `machine-`.
     */
    shouldUpgradeCallback: ({ method, headers }: IncomingMessage) =>
      method === 'POST' || /^(?:websocket$|machine-)/i.test(headers.upgrade ?? ''),
  };
  const router = createRouter(options.routes);
  const closing = new AbortController();
  const connections = new Set<Socket>();
  const clients = new ClientCount();
  const listeners: Server[] = [];
  let tls: TlsServer | null = null;
  let held: Promise<void> | null = null;

  async function serve(request: IncomingMessage, response: ServerResponse, body: RequestBody): Promise<void> {
    const gone = new AbortController();
    const leave = () => gone.abort(new Error('the client went away'));
    response.on('error', leave);
    response.on('close', () => {
      if (!response.writableFinished) leave();
    });
    for (const [name, value] of Object.entries(commonHeaders)) response.setHeader(name, value);
    try {
      const reply = await route(request, response, body, gone);
      await sendReply(response, reply);
    } catch (error) {
      if (gone.signal.aborted) return;
      if (httpStatus(error) === 500)
        log.error({ method: request.method, url: request.url, error }, 'request failed');
      await body.discard();
      sendError(response, error);
    }
  }

  async function route(
    request: IncomingMessage,
    response: ServerResponse,
    body: RequestBody,
    gone: AbortController,
  ): Promise<Reply> {
    const { path: rawPath, search } = splitUrl(request.url ?? '/');
    const { path, apiMinor } = stripVersion(rawPath);
    const method = request.method ?? 'GET';
    const match = router.match(method, path);
    if (!match) throw new NotFound('page not found');
    if (match.route.ofHost) clients.isHost(request.socket);
    if (held && !match.route.early) await held;
    return match.route.handle({
      method,
      params: match.params,
      query: createQuery(search),
      headers: request.headers,
      apiMinor,
      signal: AbortSignal.any([gone.signal, closing.signal]),
      body: body.stream,
      json: (schema) => readJson(body.stream, request.headers, schema),
      async hijack({ multiplexed }): Promise<Duplex> {
        await body.finish();
        const socket = request.socket;
        socket.on('close', () => gone.abort(new Error('the client went away')));
        const parsed = body.stream === request;
        return hijack(request, response, { parsed, multiplexed, apiMinor, headers: commonHeaders });
      },
    });
  }

  async function onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {});
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    response.on('finish', () => request.socket.end());
    try {
      if (head.length > 0) socket.unshift(head);
      await serve(request, response, await upgradeBody(socket, request.headers));
    } catch (error) {
      sendError(response, error);
    }
  }

  function prepare(server: Server): Server {
    // `docker logs -f` and `docker load` take as long as they take.
    server.requestTimeout = 0;
    server.timeout = 0;
    server.headersTimeout = headersTimeoutMs;
    server.keepAliveTimeout = 120_000;
    const onRequest: RequestListener = (request, response) =>
      void serve(request, response, plainBody(request));
    server.on('request', onRequest);
    server.on('upgrade', (request, socket, head) => void onUpgrade(request, socket, head));
    server.on('checkContinue', (request, response) => {
      response.writeContinue();
      onRequest(request, response);
    });
    const track = (socket: Socket) => {
      connections.add(socket);
      socket.on('close', () => connections.delete(socket));
      socket.on('error', () => {});
    };
    server.on('connection', track);
    server.on('connection', (connection) => clients.connected(connection));
    server.on('secureConnection', track);
    server.on('clientError', onClientError);
    server.on('tlsClientError', (error) => log.debug({ error: error.message }, 'TLS handshake refused'));
    listeners.push(server);
    return server;
  }

  return {
    async listenUnix(path, { gid } = {}) {
      await rm(path, { force: true });
      const server = prepare(createServer(serverOptions));
      await listening(server, () => server.listen(path));
      await chmod(path, 0o660);
      if (gid !== undefined) await chown(path, 0, gid);
    },
    async listenTls(host, port, material) {
      const { createServer: createTlsServer } = await import('node:https');
      tls = createTlsServer({
        ...serverOptions,
        ...material,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: 'TLSv1.2',
        // Else the socket is destroyed at the client's CloseWrite and the output after it is lost.
        allowHalfOpen: true,
      });
      const server = prepare(tls);
      await listening(server, () => server.listen(port, host));
      return (server.address() as AddressInfo).port;
    },
    holdUntil(settled) {
      held = settled;
    },
    renewTls(material) {
      tls?.setSecureContext({ ...material, minVersion: 'TLSv1.2' });
    },
    idleMs: () => clients.idleMs(),
    async close() {
      closing.abort(new Error('the engine is stopping'));
      const closed = listeners.map((server) => new Promise((resolve) => server.close(resolve)));
      for (const socket of connections) socket.destroy();
      await Promise.all(closed);
    },
  };
}

function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  // Who has not sent a whole request in time may just not have needed the connection, as Go's client now and
  // then: it complains aloud of an answer to what it never asked.
  if (!socket.writable || error.code === 'ECONNRESET' || error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`,
  );
}

/** The path is decoded as a whole, so a name with `%2F` is a name with a slash (as in moby's router). */
function splitUrl(url: string): { path: string; search: string } {
  const mark = url.indexOf('?');
  const raw = mark < 0 ? url : url.slice(0, mark);
  // A proxy may send the absolute form (RFC 9112, section 3.2.2).
  const path = raw.replace(/^https?:\/\/[^/]*/i, '') || '/';
  try {
    return { path: decodeURIComponent(path), search: mark < 0 ? '' : url.slice(mark + 1) };
  } catch {
    throw new InvalidParameter(`invalid URL escape in "${path}"`);
  }
}

function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    listen();
  });
}
