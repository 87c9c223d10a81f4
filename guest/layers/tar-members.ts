import type { TarEntry } from './tar-entry.ts';
import { type TarEvent, TarParser } from './tar-parser.ts';

export interface TarMember {
  readonly entry: TarEntry;
  /** The payload; what the consumer leaves unread is skipped. Good until the next member is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

/** The members of a tar, one after the other. Throws InvalidParameter on a malformed one. */
export async function* tarMembers(tar: AsyncIterable<Buffer>): AsyncGenerator<TarMember> {
  const events = tarEvents(tar);
  for (let next = await events.next(); !next.done; next = await events.next()) {
    if (next.value.kind === 'entry') yield { entry: next.value.entry, body: bodyOf(events) };
  }
}

async function* bodyOf(events: AsyncGenerator<TarEvent>): AsyncGenerator<Buffer> {
  for (let next = await events.next(); !next.done; next = await events.next()) {
    if (next.value.kind === 'done') return;
    if (next.value.kind === 'payload') yield next.value.bytes;
  }
}

async function* tarEvents(tar: AsyncIterable<Buffer>): AsyncGenerator<TarEvent> {
  const parser = new TarParser();
  for await (const chunk of tar) {
    for (const event of parser.push(chunk)) if (event.kind !== 'framing') yield event;
  }
  parser.finish();
}
