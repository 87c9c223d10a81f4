import type { Digest } from '../../digest.ts';
import type { BuildEvent, VertexEvent } from '../build.ts';

/** How far a vertex is: announced, started, completed. */
function stateOf({ startedAt, completedAt }: VertexEvent): number {
  return completedAt ? 3 : startedAt ? 2 : 1;
}

/**
 * Shows several builds as one: a vertex that they have in common (the same digest) is told of once, by whichever build
 * is the furthest with it.
 */
export function oneDisplay(publish: (event: BuildEvent) => void): (event: BuildEvent) => void {
  const states = new Map<Digest, number>();
  return (event) => {
    if (event.kind === 'vertex') {
      const state = stateOf(event);
      if (state <= (states.get(event.digest) ?? 0)) return;
      states.set(event.digest, state);
    }
    publish(event);
  };
}
