import t from 'tap';
import type { BuildRequest } from '../../../../guest/builder/build.ts';
import { answerCall } from '../../../../guest/builder/buildkit/calls.ts';
import { request } from '../solver/builder-lab.ts';

const text = `ARG BASE=busybox
ARG UNUSED=1
FROM $BASE AS one
ARG A=1
ARG B
RUN --mount=type=secret,id=key,required=true true
FROM one AS two
ARG BASE
ARG C="$A-x"
RUN --mount=type=ssh --mount=type=cache,target=/c true
FROM scratch
`;

function ask(call: Parameters<typeof answerCall>[0], more: Partial<BuildRequest> = {}) {
  const { results, metadata } = answerCall(call, request(text, more));
  t.same(results, [], 'nothing is built');
  t.equal(String(metadata?.get('version')), '1.0.0');
  return {
    json: JSON.parse(String(metadata?.get('result.json'))),
    table: String(metadata?.get('result.txt')),
  };
}

t.test('the outline of a target: arguments with their values, secrets, agents', (t) => {
  const two = ask('frontend.outline', { target: 'two', buildArgs: { B: 'given' } });
  t.match(two.json, {
    name: 'two',
    args: [
      { name: 'BASE', value: 'busybox', location: { ranges: [{ start: { line: 1 }, end: { line: 1 } }] } },
      { name: 'A', value: '1' },
      { name: 'B', value: 'given' },
      { name: 'C', value: '1-x' },
    ],
    secrets: [{ name: 'key', required: true }],
    ssh: [{ name: 'default' }],
    sources: [Buffer.from(text).toString('base64')],
  });
  t.match(two.table, /^BUILD ARG {3}VALUE\nBASE {8}busybox\nA {11}1\n/);
  t.match(two.table, /\nSECRET {3}REQUIRED\nkey {6}true\n\nSSH {7}REQUIRED\ndefault\n$/);
  const last = ask('frontend.outline').json;
  t.same(Object.keys(last), ['sources'], 'the last stage needs nothing of the others');
  t.throws(() => ask('frontend.outline', { target: 'nosuch' }), { message: /target stage "nosuch"/ });
  t.end();
});

t.test('targets, and what else may be asked', (t) => {
  t.match(ask('frontend.targets').json.targets, [
    { name: 'one', base: '$BASE' },
    { name: 'two', base: 'one' },
    { default: true, base: 'scratch' },
  ]);
  t.match(
    ask('frontend.subrequests.describe').json.map(({ name }: { name: string }) => name),
    ['frontend.outline', 'frontend.targets', 'frontend.lint', 'frontend.subrequests.describe'],
  );
  t.end();
});
