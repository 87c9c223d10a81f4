import type { TarEntry } from './tar-entry.ts';
import { type TarEvent, TarParser } from './tar-parser.ts';

export interface TarMember {
  readonly entry: TarEntry;
  /** The payload; what the consumer leaves unread is skipped. Good until the next member is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

/**
 * The members of a tar, one after the other. Left early, the tar stays open: it may be a request that is to be answered.
 * Throws InvalidParameter on a malformed one.
 */
export async function* tarMembers(tar: AsyncIterable<Buffer>): AsyncGenerator<TarMember> {
  const events = new TarEvents(tar);
  for (let event = await events.next(); event !== null; event = await events.next()) {
    if (event.kind === 'entry') yield { entry: event.entry, body: bodyOf(events) };
  }
}

/** No async generator: see resumed.ts. */
function bodyOf(events: TarEvents): AsyncIterable<Buffer> {
  let ended = false;
  const iterator: AsyncIterator<Buffer> = {
    async next() {
      const event = ended ? null : await events.next();
      if (event?.kind === 'payload') return { done: false, value: event.bytes };
      // An entry's payload is followed by nothing but `done`.
      ended = true;
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}

/** What the parser makes of the pieces of a tar, without its framing. */
class TarEvents {
  readonly #parser = new TarParser();
  readonly #pieces: AsyncIterator<Buffer>;
  #events: Iterator<TarEvent> = [].values();

  constructor(tar: AsyncIterable<Buffer>) {
    this.#pieces = tar[Symbol.asyncIterator]();
  }

  /** Null at the end. */
  async next(): Promise<TarEvent | null> {
    for (;;) {
      for (let next = this.#events.next(); !next.done; next = this.#events.next())
        if (next.value.kind !== 'framing') return next.value;
      const piece = await this.#pieces.next();
      if (piece.done) {
        this.#parser.finish();
        return null;
      }
      this.#events = this.#parser.push(piece.value);
    }
  }
}
