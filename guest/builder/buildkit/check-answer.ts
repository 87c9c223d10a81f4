import type { CheckResult, DockerfileSource } from '../build.ts';
import { BuildError } from '../build-error.ts';
import type { LineRange } from '../line-range.ts';
import { rules, ruleUrl } from '../lint/rules.ts';
import type { Built } from './built.ts';

/** What `docker build --check` is answered (buildkit, frontend/subrequests/lint). */
export function checkAnswer({ findings, error }: CheckResult, dockerfile: DockerfileSource): Built {
  const { name: filename, text } = dockerfile;
  const data = Buffer.from(text).toString('base64');
  const document = {
    warnings: findings.map(({ rule, detail, range }) => ({
      ...{ ruleName: rule, description: rules[rule], url: ruleUrl(rule), detail },
      location: location(range),
    })),
    sources: [{ filename, language: 'Dockerfile', data }],
    ...(error && {
      buildError: {
        message: error.message,
        location: location(error instanceof BuildError ? error.range : null),
      },
    }),
  };
  const texts = [...findings]
    .sort((a, b) => a.range.first - b.range.first)
    .map(
      ({ rule, detail, range }) =>
        `\nWARNING: ${rule} - ${ruleUrl(rule)}\n${detail}\n${excerpt(dockerfile, range)}`,
    );
  const failed = findings.length > 0 || error !== null;
  const metadata = new Map([
    ['result.json', Buffer.from(JSON.stringify(document, null, 2))],
    ['result.txt', Buffer.from(texts.join(''))],
    ['result.statuscode', Buffer.from(failed ? '1' : '0')],
    ['version', Buffer.from('1.0.0')],
  ]);
  return { results: [], isIndex: false, metadata };
}

function location(range: LineRange | null) {
  return { ranges: range ? [{ start: { line: range.first }, end: { line: range.last } }] : [] };
}

/** The lines with two or so around them. */
function excerpt({ name, text }: DockerfileSource, { first, last }: LineRange): string {
  const rule = '-'.repeat(20);
  const lines = text.split('\n');
  const shown = lines.flatMap((line, i) => {
    const number = i + 1;
    if (number < first - 2 || number > last + 2) return [];
    const mark = number >= first && number <= last ? '>>>' : '   ';
    return ` ${String(number).padStart(3)} | ${mark} ${line}`;
  });
  return [`${name}:${first}`, rule, ...shown, rule, ''].join('\n');
}
