import t from 'tap';
import type { BuildEvent, VertexEvent } from '../../../../guest/builder/build.ts';
import { oneDisplay } from '../../../../guest/builder/buildkit/one-display.ts';
import { digestOf } from '../../../../guest/digest.ts';

const at = new Date(0);

function vertex(name: string, more: Partial<VertexEvent> = {}): VertexEvent {
  return { kind: 'vertex', digest: digestOf(name), inputs: [], name, cached: false, ...more };
}

t.test('what builds have in common is told of once, by the first', (t) => {
  const told: BuildEvent[] = [];
  const show = oneDisplay((event) => told.push(event));
  const announced = vertex('a');
  const started = vertex('a', { startedAt: at });
  const done = vertex('a', { startedAt: at, completedAt: at });
  const other = vertex('b', { startedAt: at });
  for (const event of [announced, announced, started, announced, started, other, done]) show(event);
  show(vertex('a', { startedAt: at, completedAt: at, cached: true }));
  t.same(told, [announced, started, other, done]);
  t.end();
});
