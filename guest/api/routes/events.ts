import { Readable } from 'node:stream';
import { InvalidParameter } from '../../errors.ts';
import type { EventBus, StampedEvent } from '../../events/bus.ts';
import { eventFilter } from '../../events/filter.ts';
import type { ApiRequest, Query, Reply, Route } from '../handler.ts';

/** A client that reads no events for so long is cut off rather than remembered for. */
const maxUnreadBytes = 1024 * 1024;
/** setTimeout's own limit. */
const maxTimeoutMs = 2 ** 31 - 1;

export function eventsRoutes(bus: EventBus): Route[] {
  return [{ method: 'GET', path: '/events', handle: (request) => events(bus, request) }];
}

/** First what is remembered since `since`, then what comes, until `until` or the client leaves. */
function events(bus: EventBus, request: ApiRequest): Reply {
  const since = timestamp(request.query, 'since');
  const until = timestamp(request.query, 'until');
  if (since !== undefined && until !== undefined && since > until)
    throw new InvalidParameter(
      `\`since\` time (${request.query.text('since')}) cannot be after \`until\` time (${request.query.text('until')})`,
    );
  const wanted = eventFilter(request.query.filters());
  const stream = new Readable({ read() {} });
  const send = (event: StampedEvent) => {
    if (!wanted(event) || (until !== undefined && event.timeNano > until)) return;
    stream.push(wireEvent(event));
    if (stream.readableLength > maxUnreadBytes) stream.destroy();
  };

  // As dockerd: an end alone asks for the past, too.
  const from = since ?? (until === undefined ? undefined : 0n);
  if (from !== undefined) for (const event of bus.history()) if (event.timeNano >= from) send(event);
  const millisecondsLeft = until === undefined ? null : Number(until / 1_000_000n) - Date.now();
  if (millisecondsLeft !== null && millisecondsLeft <= 0) {
    stream.push(null);
  } else {
    const unsubscribe = bus.subscribe(send);
    const end = () => stream.push(null);
    const timer =
      millisecondsLeft === null ? undefined : setTimeout(end, Math.min(millisecondsLeft, maxTimeoutMs));
    stream.on('close', () => {
      unsubscribe();
      clearTimeout(timer);
    });
  }
  return { stream, contentType: 'application/json' };
}

/** Seconds since 1970, up to nine digits of fraction: in nanoseconds. */
function timestamp(query: Query, name: string): bigint | undefined {
  const text = query.text(name);
  if (!text) return undefined;
  const found = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  if (!found)
    throw new InvalidParameter(`invalid value "${text}" for "${name}"; expected seconds since 1970`);
  return BigInt(found[1]!) * 1_000_000_000n + BigInt((found[2] ?? '').padEnd(9, '0'));
}

/** The fields of today and, for containers and images, those of before API 1.22 which clients still read. */
function wireEvent({ type, action, actor, timeNano }: StampedEvent): string {
  const legacy =
    type === 'container'
      ? { status: action, id: actor.id, from: actor.attributes.image }
      : type === 'image'
        ? { status: action, id: actor.id }
        : {};
  const event = {
    ...legacy,
    Type: type,
    Action: action,
    Actor: { ID: actor.id, Attributes: actor.attributes },
    scope: 'local',
    time: Number(timeNano / 1_000_000_000n),
  };
  // A JSON number of nanoseconds has more digits than a double keeps.
  return `${JSON.stringify(event).slice(0, -1)},"timeNano":${timeNano}}\n`;
}
