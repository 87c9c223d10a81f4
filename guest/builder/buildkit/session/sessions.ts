import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { Conflict, InvalidParameter } from '../../../errors.ts';
import { createGrpcClient, type GrpcClient } from '../grpc/client.ts';
import { codes, GrpcError } from '../grpc/status.ts';

/** A client that lets the engine ask it for files, secrets and the like, for as long as it is connected. */
export interface Session {
  readonly id: string;
  /** Alike for builds of the same directory by the same user, so that its files need not come again. */
  readonly sharedKey: string;
  readonly client: GrpcClient;
  /** @param method `/moby.filesync.v1.FileSync/DiffCopy` */
  supports(method: string): boolean;
}

/** How long a build waits for the session that it names: clients open both at once. */
const waitMs = 5000;

/** Connections on which roles are turned (buildkit, session/manager.go): the engine asks, the client serves. */
export class Sessions {
  readonly #open = new Map<string, Session>();
  readonly #arrivals = new EventTarget();

  /** Throws InvalidParameter and Conflict, before anything is answered. */
  check(headers: IncomingHttpHeaders): void {
    const id = header(headers, 'uuid');
    if (id === '') throw new InvalidParameter('a session must say its X-Docker-Expose-Session-Uuid');
    if (this.#open.has(id)) throw new Conflict(`session ${id} already exists`);
  }

  /** Keeps the session on a connection that was upgraded to h2c. Resolves when it has ended. */
  async serve(connection: Duplex, headers: IncomingHttpHeaders, signal: AbortSignal): Promise<void> {
    const id = header(headers, 'uuid');
    const methods = new Set(header(headers, 'grpc-method').toLowerCase().split(/, */));
    const client = createGrpcClient(connection);
    const leave = () => client.close();
    signal.addEventListener('abort', leave);
    this.#open.set(id, {
      id,
      sharedKey: header(headers, 'sharedkey'),
      client,
      // Who says nothing of methods, as dockerode, answers by itself that there is none.
      supports: (method) => methods.has('') || methods.has(method.toLowerCase()),
    });
    this.#arrivals.dispatchEvent(new Event(id));
    await client.closed;
    signal.removeEventListener('abort', leave);
    this.#open.delete(id);
    connection.destroy();
  }

  /** Waits a little for it to come. Throws GrpcError. */
  async get(id: string, signal: AbortSignal): Promise<Session> {
    const known = this.#open.get(id);
    if (known) return known;
    const done = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    const arrived = new Promise<void>((resolve) =>
      this.#arrivals.addEventListener(id, () => resolve(), { once: true, signal: either }),
    );
    await Promise.race([arrived, setTimeout(waitMs, undefined, { signal: either }).catch(() => {})]);
    done.abort();
    signal.throwIfAborted();
    const session = this.#open.get(id);
    if (!session) throw new GrpcError(codes.unavailable, `no active session for ${id}`);
    return session;
  }
}

/** Repeated ones are joined by node:http. */
function header(headers: IncomingHttpHeaders, name: string): string {
  return String(headers[`x-docker-expose-session-${name}`] ?? '');
}
