import t from 'tap';
import { parseDockerfile, parseTrigger } from '../../../../guest/builder/dockerfile/stages.ts';
import { contextPaths } from '../../../../guest/builder/solver/context-paths.ts';

/** Instructions of a stage; what they read of the build's context, and of one that is named `src`. */
const table: [string, readonly string[] | null, readonly string[] | null][] = [
  ['COPY a b/ /x', ['a', 'b/'], null],
  ['COPY --from=src c /x', null, ['c']],
  ['COPY --from=SRC c /x\nCOPY a /x', ['a'], ['c']],
  ['ADD --chown=1 a https://example.invalid/b /x', ['a', 'https://example.invalid/b'], null],
  ['RUN --mount=target=/m,source=a true', ['a'], null],
  ['RUN --mount=target=/m,from=src,source=d --mount=type=cache,target=/c true', null, ['d']],
  ['RUN --mount=type=cache,target=/c,from=src,source=e true\nCOPY a /x', ['a'], ['e']],
  ['RUN --mount=target=/m,from=src true', null, null],
  ['COPY --from=src $X /x', null, null],
  ['COPY . /x\nCOPY --from=src f /x', null, ['f']],
  ['COPY <<A a /x\ntext\nA', ['a'], null],
];

for (const [text, own, named] of table)
  t.test(text, (t) => {
    const { stages } = parseDockerfile(`FROM busybox\n${text}\n`);
    t.same(contextPaths(stages, [], null), own);
    t.same(contextPaths(stages, [], 'src'), named);
    t.end();
  });

t.test('a stage on a context, or in the place of one, may want all of it', (t) => {
  for (const from of ['src', 'busybox AS src'])
    t.equal(contextPaths(parseDockerfile(`FROM ${from}\nCOPY --from=src a /`).stages, [], 'src'), null);
  t.end();
});

t.test('triggers read too', (t) => {
  const { stages } = parseDockerfile('FROM base\nCOPY b /');
  t.same(contextPaths(stages, [parseTrigger('COPY a /', '\\', { first: 1, last: 1 })], null), ['a', 'b']);
  t.end();
});
