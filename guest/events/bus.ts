import type { EngineEvent, EventSink } from './event.ts';

export interface StampedEvent extends EngineEvent {
  readonly timeNano: bigint;
}

export interface EventBus extends EventSink {
  /** Calls `listener` for each event from now on; the returned function ends that. */
  subscribe(listener: (event: StampedEvent) => void): () => void;
  /** What is remembered, oldest first: the last {@link rememberedEvents}. */
  history(): readonly StampedEvent[];
  listenerCount(): number;
}

/** As many as dockerd remembers for `docker events --since` (moby, daemon/events). */
export const rememberedEvents = 256;

export function createEventBus(now: () => number = Date.now): EventBus {
  const listeners = new Set<(event: StampedEvent) => void>();
  const past: StampedEvent[] = [];
  let last = 0n;
  return {
    publish(event) {
      // Strictly growing, so that a client can go on from the last time it saw.
      const clock = BigInt(now()) * 1_000_000n;
      last = clock > last ? clock : last + 1n;
      const stamped = { ...event, timeNano: last };
      past.push(stamped);
      if (past.length > rememberedEvents) past.shift();
      for (const listener of listeners) listener(stamped);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    history: () => [...past],
    listenerCount: () => listeners.size,
  };
}
