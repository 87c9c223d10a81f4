import { Unavailable } from '../../drivers/errors.ts';

/** How long a server may be silent before the connection is given up. */
const silenceMs = 30_000;

export type Fetch = typeof globalThis.fetch;

/** A failure that may pass when tried again. */
export class Interrupted extends Unavailable {}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: Fetch | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface OpenedResponse {
  readonly response: Response;
  /** The body; throws Interrupted when the connection breaks or falls silent. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends a GET request. Throws Interrupted when it may help to try again, Unavailable when the server refuses. */
export async function openUrl(url: string, options: OpenOptions = {}): Promise<OpenedResponse> {
  const { signal, fetch = globalThis.fetch, headers = {} } = options;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error('the server fell silent')), silenceMs);
  const either = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  const interrupted = (cause: unknown) => {
    clearTimeout(timer);
    signal?.throwIfAborted();
    throw new Interrupted(`${url} cannot be fetched: ${reason(cause)}`, { cause });
  };
  let response: Response;
  try {
    response = await fetch(url, { signal: either, headers });
  } catch (cause) {
    return interrupted(cause);
  }
  if (!response.ok) {
    clearTimeout(timer);
    await response.body?.cancel();
    const Failure =
      response.status >= 500 || response.status === 429 || response.status === 408
        ? Interrupted
        : Unavailable;
    throw new Failure(
      `${url} cannot be fetched: the server answered ${response.status} ${response.statusText}`.trim(),
    );
  }
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of response.body ?? []) {
        timer.refresh();
        yield chunk;
      }
    } catch (cause) {
      interrupted(cause);
    } finally {
      clearTimeout(timer);
    }
  }
  return { response, body: body() };
}

/** Node's fetch says only "fetch failed"; what happened is in the cause. */
function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code || message : message;
}
