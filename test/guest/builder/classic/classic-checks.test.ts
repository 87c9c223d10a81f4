import t from 'tap';
import { checkClassic } from '../../../../guest/builder/classic/classic-checks.ts';
import { parseDockerfile } from '../../../../guest/builder/dockerfile/stages.ts';

const check = (text: string) => () => checkClassic(parseDockerfile(text));

t.test('what moby refuses, in its sentences', async (t) => {
  for (const [line, message] of [
    ['COPY --from=5 /a /b', 'invalid from flag value 5: index out of bounds'],
    ['COPY --from=-1 /a /b', 'invalid from flag value -1: index out of bounds'],
    ['COPY --from=0 /a /b', 'invalid from flag value 0: refers to current build stage'],
    ['COPY --from=scratch /a /b', "invalid from flag value scratch: 'scratch' is a reserved name"],
    ['COPY ../f /x', 'COPY failed: forbidden path outside the build context: ../f ()'],
    ['ADD a b/../../f /x/', 'ADD failed: forbidden path outside the build context: b/../../f ()'],
  ] as const)
    t.throws(check(`FROM busybox\n${line}\n`), { message });
});

t.test('what it takes', async (t) => {
  for (const line of ['COPY a/../b ..c /x/', 'COPY --from=busybox ../etc /x', 'ADD http://h/../a /x'])
    t.doesNotThrow(check(`FROM busybox\n${line}\n`));
  t.doesNotThrow(check('FROM busybox\nFROM busybox\nCOPY --from=0 /a /b\n'));
});
