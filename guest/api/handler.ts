import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { z } from 'zod';

/**
 * What a route is: a method, a path pattern and a function from a request to a reply. Routes know neither
 * sockets nor versions in paths: the server strips `/v1.NN`, checks it, and gives it as `apiVersion`.
 *
 * Patterns: `/containers/:id/json` takes one segment, `/images/**name/json` takes a name with slashes.
 */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly handle: (request: ApiRequest) => Promise<Reply> | Reply;
  /** Answered also while {@link ApiServer.holdUntil} holds the rest back. */
  readonly early?: boolean;
  /** Asked by the machine's host for its own services; who asks is no client. */
  readonly ofHost?: boolean;
}

export interface ApiRequest {
  readonly method: string;
  /** Decoded path parameters. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  /** Minor of the client's API version: 44 for v1.44; the newest when the path has none. */
  readonly apiMinor: number;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** The raw body, with backpressure. */
  readonly body: Readable;
  /** Reads the body as JSON and checks it; throws InvalidParameter that names the field. An empty body is `{}`. */
  json<T>(schema: z.ZodType<T>): Promise<T>;
  /** Answers 101 (or 200 for clients that did not ask for an upgrade) and gives the bare connection. */
  hijack(options: { readonly multiplexed: boolean }): Promise<Duplex>;
}

export interface Query {
  text(name: string): string | undefined;
  all(name: string): readonly string[];
  /** Docker's truth: absent, "", 0, no, false and none are false; all else is true. */
  flag(name: string): boolean;
  /** Throws InvalidParameter when it is not a whole number. */
  integer(name: string): number | undefined;
  /** As {@link integer}, and throws when it is not given. */
  required(name: string): number;
  /** Parses `filters`: `{"label":["a"]}` and the old `{"label":{"a":true}}`. Throws InvalidParameter. */
  filters(): ReadonlyMap<string, readonly string[]>;
}

export type Reply =
  | { readonly status?: number; readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly status?: number; readonly text: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | {
      readonly status?: number;
      /** Sent chunked, flushed chunk by chunk; destroyed when the client goes away. */
      readonly stream: Readable;
      readonly contentType: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly hijacked: true };
