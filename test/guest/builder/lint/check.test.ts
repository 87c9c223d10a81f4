// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Dockerfiles have variables of their own
import t from 'tap';
import type { ContextSource } from '../../../../guest/builder/build.ts';
import { checkAnswer } from '../../../../guest/builder/buildkit/check-answer.ts';
import { noOverlay } from '../../../helpers/overlay.ts';
import { builderLab, request } from '../solver/builder-lab.ts';

const supply = {
  signal: new AbortController().signal,
  onProgress: () => {},
  secret: async () => null,
  ssh: async () => null,
  registryAuth: async () => null,
};

/** A Dockerfile; what is found in it: the line, the rule, and words of the detail. */
const table: [string, ...(readonly [number, string, string])[]][] = [
  ['FROM scratch AS a\nLABEL a=b'],
  ['FROM scratch AS Bad', [1, 'StageNameCasing', "Stage name 'Bad' should be lowercase"]],
  ['FROM scratch as a', [1, 'FromAsCasing', "'as' and 'FROM' keywords' casing do not match"]],
  ['from scratch AS a', [1, 'FromAsCasing', "'AS' and 'from'"]],
  ['FROM scratch\nCOPY a \\\n\n\n.', [5, 'NoEmptyContinuation', 'Empty continuation line']],
  ['FROM scratch\nCOPY a \\\n# a comment\n.'],
  [
    'FROM scratch\ncopy a /\nCOPY b /',
    [
      2,
      'ConsistentInstructionCasing',
      "Command 'copy' should match the case of the command majority (uppercase)",
    ],
  ],
  [
    'from scratch\nCopy a /\nadd b /',
    [2, 'ConsistentInstructionCasing', "'Copy' should match the case of the command majority (lowercase)"],
  ],
  ['FROM scratch AS a\nFROM scratch AS a', [2, 'DuplicateStageName', 'Duplicate stage name "a"']],
  ['FROM scratch AS context', [1, 'ReservedStageName', 'reserved stage "context"']],
  ['FROM scratch\nCMD run me', [2, 'JSONArgsRecommended', 'JSON arguments recommended for CMD']],
  ['FROM scratch\nSHELL ["/bin/x"]\nENTRYPOINT run me'],
  ['FROM scratch\nMAINTAINER me', [2, 'MaintainerDeprecated', 'Maintainer instruction is deprecated']],
  [
    'ARG MY_ARCH\nFROM scratch$MYARCH',
    [2, 'UndefinedArgInFrom', "FROM argument 'MYARCH' is not declared (did you mean MY_ARCH?)"],
  ],
  [
    'FROM scratch AS a\nWORKDIR a',
    [2, 'WorkdirRelativePath', 'Relative workdir "a" can have unexpected results'],
  ],
  ['FROM scratch AS a\nWORKDIR /a\nFROM a\nWORKDIR b'],
  [
    'FROM scratch\nARG DIR_ASSETS=a\nCOPY $DIR_ASSET ${X:-y} ${ARG} $PATH /',
    [3, 'UndefinedVar', "Usage of undefined variable '$DIR_ASSET' (did you mean $DIR_ASSETS?)"],
    [3, 'UndefinedVar', "Usage of undefined variable '$ARG'"],
  ],
  ['FROM scratch AS a\nARG X\nFROM a\nENV Y=$X\nLABEL z=$Y\nRUN echo $NOT_OURS'],
  ['FROM scratch\nENV Y=$Z', [2, 'UndefinedVar', "'$Z'"]],
  ['FROM scratch\nRUN --mount=type=cache,target=$W true', [2, 'UndefinedVar', "'$W'"]],
  [
    'FROM scratch\nCOPY <<A /\n$B \'$C\'\nA\nCOPY <<"A" /\n$D\nA',
    [2, 'UndefinedVar', "'$B'"],
    [2, 'UndefinedVar', "'$C'"],
  ],
  [
    'FROM scratch\nCMD ["a"]\nHEALTHCHECK NONE\nCMD ["b"]',
    [2, 'MultipleInstructionsDisallowed', 'Multiple CMD instructions should not be used'],
  ],
  [
    'FROM scratch\nENV a b c',
    [2, 'LegacyKeyValueFormat', '"ENV key=value" should be used instead of legacy "ENV key value" format'],
  ],
  [
    'FROM --platform=${TARGETPLATFORM} scratch',
    [1, 'RedundantTargetPlatform', 'predefined ${TARGETPLATFORM} in FROM'],
  ],
  ['FROM --platform=$BUILDPLATFORM scratch'],
  [
    'FROM --platform=linux/amd64 scratch',
    [1, 'FromPlatformFlagConstDisallowed', 'constant value "linux/amd64"'],
  ],
  ['FROM --platform=linux/amd64 scratch AS amd64'],
  [
    'FROM scratch\nARG auth\nENV GIT_TOKEN=a monkey=b\nENV public_key=c',
    [2, 'SecretsUsedInArgOrEnv', 'sensitive data (ARG "auth")'],
    [3, 'SecretsUsedInArgOrEnv', 'sensitive data (ENV "GIT_TOKEN")'],
  ],
  [
    'ARG V="box:"\nFROM scratch AS busy\nFROM busy${V}',
    [3, 'InvalidDefaultArgInFrom', 'Default value for ARG busy${V}'],
  ],
  [
    'FROM scratch\nCOPY secret/a a* /\nADD ./secret /',
    [2, 'CopyIgnoredFile', 'Attempting to Copy file "secret/a" that is excluded by .dockerignore'],
    [3, 'CopyIgnoredFile', 'Attempting to Add file "secret"'],
  ],
  ['# check=skip=all\nFROM scratch as A'],
  ['# check=skip=FromAsCasing\nFROM scratch as A', [2, 'StageNameCasing', '']],
  // All stages, not only those that a build needs.
  [
    'FROM scratch\nLABEL a $b\nFROM scratch',
    [2, 'UndefinedVar', "'$b'"],
    [2, 'LegacyKeyValueFormat', 'LABEL'],
  ],
];

const context: ContextSource = {
  read: async () => Buffer.from('secret\n'),
  open: () => Promise.reject(new Error('nothing is built')),
};

t.test('what is found in a Dockerfile', async (t) => {
  const { builder } = await builderLab(t);
  for (const [text, ...expected] of table) {
    const { findings } = await builder.check(request(text, { context }), supply);
    t.match(
      findings.map(({ range, rule, detail }) => [range.first, rule, detail]),
      expected.map(([line, rule, detail]) => [
        line,
        rule,
        new RegExp(detail.replace(/[$(){}^|*+?.[\]]/g, '\\$&')),
      ]),
      text,
    );
    t.equal(findings.length, expected.length, text);
  }
});

t.test('findings fail a build when they are to, before anything is done', async (t) => {
  const { builder, build } = await builderLab(t);
  const text = '# check=error=true\nFROM scratch as a\nCOPY --from=nowhere a /';
  const message = 'lint violation found for rules: FromAsCasing';
  t.match(await builder.check(request('# check=error=true\nFROM scratch as a'), supply), {
    error: { message },
  });
  await t.rejects(build(request('# check=error=true\nFROM scratch as a\nLABEL a=b')), { message });
  const options = { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: 'skip=all' } };
  t.match(await builder.check(request('# check=error=true\nFROM scratch as a', options), supply), {
    error: null,
    findings: [],
  });
  await t.rejects(build(request(text.replace('error=true', 'nonsense'))), {
    message: 'failed to parse check options: invalid check option "nonsense"',
  });
});

t.test('a build tells what it finds in the stages that it needs, also when it fails', async (t) => {
  const { build } = await builderLab(t);
  const { events } = await build(request('FROM scratch AS a\nLABEL a b\nFROM scratch\nLABEL c d'));
  t.match(
    events.filter(({ kind }) => kind === 'warning'),
    [
      {
        short:
          'LegacyKeyValueFormat: "LABEL key=value" should be used instead of legacy "LABEL key value" format (line 4)',
        detail: ['Legacy key/value format with whitespace separator should not be used'],
        url: 'https://docs.docker.com/go/dockerfile/rule/legacy-key-value-format/',
        range: { first: 4, last: 4 },
      },
    ],
  );
});

t.test(
  'what does not expand, and a broken ignore file, are errors of the build and not of the rules',
  async (t) => {
    const { builder } = await builderLab(t);
    const check = async (text: string, ignore: string) =>
      builder.check(
        request(text, { context: { ...context, read: async () => Buffer.from(ignore) } }),
        supply,
      );
    t.match(await check('FROM ${a', ''), {
      error: { message: "syntax error: missing '}'", range: { first: 1 } },
    });
    t.match(await check('FROM --platform=${a scratch', ''), { error: { message: "missing '}'" } });
    t.match(await check('FROM scratch\nENV a=${b:?none}', ''), { error: null });
    t.match(await check('FROM scratch\nCOPY a /', '!'), { error: null }, 'told when the context comes');
  },
);

t.test('the answer to --check', async (t) => {
  const { builder } = await builderLab(t);
  const asked = request('FROM scratch AS A\nBAD x');
  const { metadata } = checkAnswer(await builder.check(asked, supply), asked.dockerfile);
  t.match(JSON.parse(String(metadata?.get('result.json'))), {
    warnings: [{ ruleName: 'StageNameCasing', location: { ranges: [{ start: { line: 1 } }] } }],
    sources: [{ filename: 'Dockerfile' }],
    buildError: {
      message: 'dockerfile parse error on line 2: unknown instruction: BAD',
      location: { ranges: [{ start: { line: 2 } }] },
    },
  });
  t.equal(String(metadata?.get('result.statuscode')), '1');
  t.match(
    String(metadata?.get('result.txt')),
    /WARNING: StageNameCasing - .*\n.*\nDockerfile:1\n-+\n {3}1 \| >>> FROM/,
  );
  const fine = request('FROM scratch');
  const { metadata: nothing } = checkAnswer(await builder.check(fine, supply), fine.dockerfile);
  t.equal(String(nothing?.get('result.statuscode')), '0');
});

t.test(
  'base images are asked for once, and by a check for their configurations alone',
  { skip: noOverlay() },
  async (t) => {
    const lab = await builderLab(t);
    await lab.makeImage('base');
    await lab.builder.check(request('FROM base AS a\nFROM base\nLABEL a=b'), supply);
    t.strictSame(lab.asked.splice(0), ['config base']);
    await lab.build(request('FROM base\nLABEL a=b', { pull: true }));
    t.strictSame(lab.asked, ['image base']);
  },
);
