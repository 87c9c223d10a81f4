import t from 'tap';
import type { BuildEvent } from '../../../../guest/builder/build.ts';
import { noOverlay } from '../../../helpers/overlay.ts';
import { builderLab, HeldContext, request } from './builder-lab.ts';

const skip = noOverlay();

const twoStages = `FROM scratch AS a
COPY --from=one . /one/
FROM scratch AS b
COPY --from=two . /two/
FROM scratch AS unused
COPY --from=nowhere . /
FROM a
COPY --from=b /two /two
`;

function contexts(one: HeldContext, two: HeldContext) {
  return {
    namedContexts: new Map([
      ['one', { kind: 'context', source: one } as const],
      ['two', { kind: 'context', source: two } as const],
    ]),
  };
}

/** How every vertex has ended, by its name. */
function ends(events: readonly BuildEvent[]): Record<string, string> {
  const vertices = events.flatMap((event) => (event.kind === 'vertex' && event.completedAt ? [event] : []));
  return Object.fromEntries(
    vertices.map(({ name, cached, error }) => [name, error ?? (cached ? 'cached' : 'done')]),
  );
}

t.test(
  'stages that need nothing of each other are built side by side, unused ones not',
  { skip },
  async (t) => {
    const { build } = await builderLab(t);
    const [one, two] = [new HeldContext(t, 'one'), new HeldContext(t, 'two')];
    const building = build(request(twoStages, contexts(one, two)));
    await Promise.all([one.opened, two.opened]);
    two.release();
    one.release();
    const { events } = await building;
    const ended = ends(events);
    t.match(ended, {
      '[a 1/1] COPY --from=one . /one/': 'done',
      '[b 1/1] COPY --from=two . /two/': 'done',
      '[stage-3 1/1] COPY --from=b /two /two': 'done',
    });
    t.notOk(Object.keys(ended).some((name) => name.includes('unused')));
    t.same([one.disposed, two.disposed], [1, 1]);
  },
);

t.test('what was built is cached by content, whatever its times', { skip }, async (t) => {
  const { build } = await builderLab(t);
  const run = async (content: string) => {
    const [one, two] = [new HeldContext(t, 'one', { f: content }), new HeldContext(t, 'two')];
    one.release();
    two.release();
    return build(request(twoStages, contexts(one, two)));
  };
  const first = await run('x');
  const again = await run('x');
  t.equal(again.chainId, first.chainId);
  t.match(ends(again.events), {
    '[a 1/1] COPY --from=one . /one/': 'cached',
    '[b 1/1] COPY --from=two . /two/': 'cached',
    '[stage-3 1/1] COPY --from=b /two /two': 'cached',
  });
  const changed = await run('y');
  t.not(changed.chainId, first.chainId);
  t.match(ends(changed.events), {
    '[a 1/1] COPY --from=one . /one/': 'done',
    '[b 1/1] COPY --from=two . /two/': 'cached',
    '[stage-3 1/1] COPY --from=b /two /two': 'done',
  });
});

t.test(
  'when one of two stages fails, the other is waited for, and nothing is left open',
  { skip },
  async (t) => {
    const { build, builder } = await builderLab(t);
    const [one, two] = [new HeldContext(t, 'one'), new HeldContext(t, 'two')];
    const building = build(request(twoStages, contexts(one, two)));
    let ended = false;
    building
      .catch(() => {})
      .finally(() => {
        ended = true;
      });
    await Promise.all([one.opened, two.opened]);
    one.release(new Error('the client went away'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.notOk(ended, 'the other one goes on');
    two.release();
    await t.rejects(building, { message: 'the client went away' });
    t.equal(two.disposed, 1);
    t.match(
      (await builder.cache.usage()).map(({ description }) => description),
      ['[b 1/1] COPY --from=two . /two/'],
      'what was made is kept',
    );
  },
);

t.test('the first of two failures in the order of the stages is told', { skip }, async (t) => {
  const { build } = await builderLab(t);
  const [one, two] = [new HeldContext(t, 'one'), new HeldContext(t, 'two')];
  const building = build(request(twoStages, contexts(one, two)));
  await Promise.all([one.opened, two.opened]);
  two.release(new Error('second'));
  await new Promise((resolve) => setImmediate(resolve));
  one.release(new Error('first'));
  await t.rejects(building, { message: 'first' });
});

t.test('a build that is given up ends with the reason, and nothing of it goes on', { skip }, async (t) => {
  const { build, builder } = await builderLab(t);
  const [one, two] = [new HeldContext(t, 'one'), new HeldContext(t, 'two')];
  const gone = new AbortController();
  const building = build(request(twoStages, contexts(one, two)), gone.signal);
  await Promise.all([one.opened, two.opened]);
  gone.abort(new Error('enough'));
  one.release();
  two.release();
  await t.rejects(building, { message: 'enough' });
  t.same([one.disposed, two.disposed], [1, 1]);
  t.same(await builder.cache.usage(), []);
});

t.test('two builds of the same at once make it once', { skip }, async (t) => {
  const { build } = await builderLab(t);
  const text = 'FROM scratch\nCOPY --from=one . /\n';
  const held = [new HeldContext(t, 'one'), new HeldContext(t, 'one')];
  const builds = held.map((one) =>
    build(request(text, { namedContexts: new Map([['one', { kind: 'context', source: one }]]) })),
  );
  await Promise.all(held.map(({ opened }) => opened));
  for (const one of held) one.release();
  const results = await Promise.all(builds);
  t.equal(results[0]!.chainId, results[1]!.chainId);
  const made = results.map(({ events }) => ends(events)['[1/1] COPY --from=one . /']);
  t.same(made.sort(), ['cached', 'done']);
});

t.test('the same build is the same image, in whatever order its labels are said', { skip }, async (t) => {
  const { build } = await builderLab(t);
  const dockerfile = 'FROM scratch\nLABEL m=1\nCOPY --from=one . /\n';
  const run = async (labels: Record<string, string>) => {
    const [one, two] = [new HeldContext(t, 'one', { f: 'f' }), new HeldContext(t, 'two')];
    const building = build(request(dockerfile, { ...contexts(one, two), labels }));
    one.release();
    return (await building).config;
  };
  const first = await run({ z: '1', a: '2' });
  t.match(JSON.parse(first), { config: { Labels: { a: '2', m: '1', z: '1' } } });
  t.equal(await run({ a: '2', z: '1' }), first);
});
