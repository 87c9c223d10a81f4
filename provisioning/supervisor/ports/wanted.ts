import type { Forward } from '../../../drivers/port-forwarder.ts';
import type { PublishedPortNotice } from '../../../guest/wire/index.ts';

/** What a machine's containers publish, as forwards. SCTP is not among them: nothing carries it to a machine. */
export function wantedForwards(published: readonly PublishedPortNotice[]): Forward[] {
  return published.flatMap(({ protocol, hostAddress, hostPort, guestPort }) =>
    protocol === 'sctp' ? [] : [{ protocol, hostAddress, hostPort, guestPort }],
  );
}

/**
 * What must be done to have what is wanted; what leads elsewhere now is removed first. What is wanted twice is had once.
 */
export function difference(
  have: readonly Forward[],
  want: readonly Forward[],
): { readonly remove: Forward[]; readonly add: Forward[] } {
  const wanted = new Map(want.map((forward) => [placeOf(forward), forward]));
  const kept = new Set<string>();
  const remove = have.filter((forward) => {
    const keeps = wanted.get(placeOf(forward))?.guestPort === forward.guestPort;
    if (keeps) kept.add(placeOf(forward));
    return !keeps;
  });
  return { remove, add: [...wanted].flatMap(([place, forward]) => (kept.has(place) ? [] : [forward])) };
}

/** Where it listens: one forward can be there at a time. */
export function placeOf({ protocol, hostAddress, hostPort }: Forward): string {
  return `${protocol} ${hostAddress} ${hostPort}`;
}
