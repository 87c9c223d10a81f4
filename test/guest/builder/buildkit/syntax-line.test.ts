import t from 'tap';
import { checkSyntaxLine } from '../../../../guest/builder/buildkit/syntax-line.ts';

const check = (text: string) => () => checkSyntaxLine({ name: 'Dockerfile', text, ignore: null });

t.test("Docker's own front end is ours, wherever it is from", (t) => {
  for (const image of [
    'docker/dockerfile:1',
    'docker.io/docker/dockerfile:1.7-labs',
    'registry.example:5000/mirror/docker/dockerfile-upstream@sha256:00',
    'docker/dockerfile:1 cmdline',
  ])
    t.doesNotThrow(check(`# syntax=${image}\nFROM scratch`), image);
  t.doesNotThrow(check('FROM scratch\n# syntax=other'), 'a comment');
  t.end();
});

t.test('another is refused, with its line', (t) => {
  t.throws(check('# escape=`\n# syntax=someone/mine:1\nFROM scratch'), {
    message: /line 2: .*it does not run someone\/mine:1/,
    range: { first: 2, last: 2 },
  });
  t.end();
});
