/**
 * A transcript is a table that reads like a manual. A line at the margin is the title of a section; below it,
 * indented by two spaces:
 *
 * ```
 * exit codes are the program's
 *   $ docker run --rm busybox sh -c 'exit 3'
 *   [3]
 *   $ docker inspect nosuch
 *   []
 *   .*no such object: nosuch (re)
 *   [1]
 * ```
 *
 * What stands below a command is its stdout and stderr; `(re)` makes a line a regular expression of the whole
 * line, `[n]` is an exit code other than 0, `> ` goes on with a command. A title that ends in `(todo: why)` is
 * one where the engine is known to differ. `#` begins a comment.
 */
export interface Section {
  readonly title: string;
  readonly todo: string | null;
  readonly comments: readonly string[];
  readonly steps: readonly Step[];
}

export interface Step {
  readonly command: string;
  readonly output: readonly string[];
  readonly exitCode: number;
}

const patternMark = ' (re)';

export function parseTranscript(text: string): Section[] {
  const sections: Section[] = [];
  let comments: string[] = [];
  let steps: { command: string; output: string[]; exitCode: number }[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    if (line.startsWith('#')) comments.push(line);
    else if (!line.startsWith('  ')) {
      steps = [];
      const [, title, todo] = /^(.*?)(?: \(todo: (.*)\))?$/.exec(line)!;
      sections.push({ title: title!, todo: todo ?? null, comments, steps });
      comments = [];
    } else {
      const content = line.slice(2);
      const step = steps.at(-1);
      if (content.startsWith('$ ')) steps.push({ command: content.slice(2), output: [], exitCode: 0 });
      else if (step === undefined) throw new Error(`output before any command: "${line}"`);
      else if (content.startsWith('> ')) step.command += `\n${content.slice(2)}`;
      else if (/^\[\d+\]$/.test(content)) step.exitCode = Number(content.slice(1, -1));
      else step.output.push(content);
    }
  }
  return sections;
}

export function formatTranscript(sections: readonly Section[]): string {
  return sections.map(formatSection).join('\n');
}

function formatSection({ title, todo, comments, steps }: Section): string {
  const lines = [...comments, todo === null ? title : `${title} (todo: ${todo})`];
  for (const { command, output, exitCode } of steps) {
    lines.push(`  $ ${command.replaceAll('\n', '\n  > ')}`, ...output.map((line) => `  ${line}`.trimEnd()));
    if (exitCode !== 0) lines.push(`  [${exitCode}]`);
  }
  return `${lines.join('\n')}\n`;
}

/** What was seen, with each line that an expected pattern covers replaced by that pattern: equal means as expected. */
export function fitted(expected: readonly string[], seen: readonly string[]): string[] {
  return seen.map((line, at) => {
    const wanted = expected[at];
    if (wanted === undefined || !wanted.endsWith(patternMark)) return line;
    return new RegExp(`^(?:${wanted.slice(0, -patternMark.length)})$`).test(line) ? wanted : line;
  });
}
