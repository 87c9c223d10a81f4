import t from 'tap';
import type { BuildRequest } from '../../../../guest/builder/build.ts';
import { parseDockerfile } from '../../../../guest/builder/dockerfile/stages.ts';
import { planBuild } from '../../../../guest/builder/solver/plan.ts';
import { GlobalArgs, platformArgs } from '../../../../guest/builder/solver/variables.ts';
import { request } from './builder-lab.ts';

const platform = { os: 'linux', architecture: 'amd64' };

function plan(text: string, more: Partial<BuildRequest> = {}) {
  const dockerfile = parseDockerfile(text);
  const asked = request(text, more);
  const globals = new GlobalArgs(dockerfile.globalArgs, {
    given: asked.buildArgs,
    platform: platformArgs(platform, asked.target ?? 'default'),
    mark: '\\',
  });
  return planBuild(dockerfile, asked, { globals, platform });
}

const text = `ARG BASE=busybox
FROM $BASE AS a
FROM scratch AS b
COPY --from=a x /
FROM b AS c
RUN --mount=type=bind,from=0,target=/a true
FROM a
FROM other:1 AS last
COPY --from=image /x /
`;

t.test('only what the target needs is built', async (t) => {
  for (const [target, needed] of [
    [undefined, [4]],
    ['last', [4]],
    ['C', [0, 1, 2]],
    ['b', [0, 1]],
    ['3', [0, 3]],
    ['0', [0]],
  ] as const)
    t.same(plan(text, { target }).needed, needed, `target ${target}`);
});

t.test('where files come from', async (t) => {
  const { stages } = plan(text, { buildArgs: { BASE: 'alpine' } });
  t.same(
    stages.map(({ base }) => base),
    [
      { kind: 'image', reference: 'alpine' },
      { kind: 'scratch' },
      { kind: 'stage', index: 1 },
      { kind: 'stage', index: 0 },
      { kind: 'image', reference: 'other:1' },
    ],
  );
  t.same(
    stages.map(({ name }) => name),
    ['a', 'b', 'c', 'stage-3', 'last'],
  );
  const namedContexts: BuildRequest['namedContexts'] = new Map([
    ['a', { kind: 'image', reference: 'busybox:2' }],
    ['other:1', { kind: 'context', source: {} as never }],
  ]);
  const named = plan(text, { namedContexts });
  t.same(named.stages[3]!.base, { kind: 'image', reference: 'busybox:2' }, 'a name goes before a stage');
  t.same(named.stages[4]!.base, { kind: 'context', name: 'other:1' });
  const empty: BuildRequest['namedContexts'] = new Map([['a', { kind: 'image', reference: 'scratch' }]]);
  t.same(plan(text, { namedContexts: empty }).stages[3]!.base, { kind: 'scratch' }, 'docker-image://scratch');
});

t.test('a stage sees only those before it, and the last of a name', async (t) => {
  t.same(plan('FROM x AS a\nFROM y AS a\nFROM a\n').stages[2]!.base, { kind: 'stage', index: 1 });
  t.same(plan('FROM later\nFROM x AS later\n').stages[0]!.base, { kind: 'image', reference: 'later' });
  t.throws(() => plan('FROM x\nCOPY --from=1 a b\n'), { message: /invalid stage index 1/ });
});

t.test('what is wrong is told with what could be meant, and where', async (t) => {
  t.throws(() => plan(text, { target: 'lats' }), {
    message: 'target stage "lats" could not be found (did you mean last?)',
  });
  t.throws(() => plan('ARG E\nFROM $E\n'), { message: /should not be blank/, range: { first: 2, last: 2 } });
  t.throws(() => plan('FROM --platform=linux/none/x/y busybox\n'));
});

t.test('platforms of FROM, and those of the build', async (t) => {
  const { stages } = plan('FROM --platform=linux/arm64 x\nFROM y\nFROM --platform=$BUILDPLATFORM z\n');
  t.same(stages[0]!.platform, { os: 'linux', architecture: 'arm64' });
  t.same(stages[1]!.platform, platform);
});

t.test('a stage on another goes on with its platform', async (t) => {
  const { stages } = plan(
    'FROM --platform=linux/arm64 x AS one\nFROM one\nFROM --platform=linux/s390x one\n',
  );
  t.same(
    stages.map(({ platform }) => platform.architecture),
    ['arm64', 'arm64', 'arm64'],
  );
});

t.test('a named context of the platform goes before one for any', async (t) => {
  const namedContexts = new Map(
    ['base', 'base::linux/arm64'].map((name) => [name, { kind: 'image' as const, reference: name }]),
  );
  const { stages } = plan('FROM base\nFROM --platform=linux/arm64 base\n', { namedContexts });
  t.same(
    stages.map(({ base }) => base),
    [
      { kind: 'image', reference: 'base' },
      { kind: 'image', reference: 'base::linux/arm64' },
    ],
  );
});
