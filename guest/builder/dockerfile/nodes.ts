import { BuildError } from '../build-error.ts';
import type { LineRange } from '../line-range.ts';
import { type Directives, parseDirectives } from './directives.ts';
import { type Heredoc, heredocsOf } from './heredoc.ts';
import { parseError } from './parse-error.ts';

/** One instruction as text: the first of three stages (text → nodes → instructions → stages). */
export interface Node {
  /** As it stands there. */
  readonly keyword: string;
  /** What follows it, continuation lines joined. */
  readonly rest: string;
  /** The whole instruction, continuation lines joined, without its documents. */
  readonly text: string;
  readonly range: LineRange;
  /** The last of the lines that were joined. */
  readonly joinedTo: number;
  /** There are empty lines between those. */
  readonly hasEmptyLines: boolean;
  readonly heredocs: readonly Heredoc[];
}

export interface ParsedText {
  readonly directives: Directives;
  readonly nodes: readonly Node[];
}

/** Throws BuildError that names the line. */
export function parseNodes(text: string): ParsedText {
  if (text === '') throw new BuildError('the Dockerfile cannot be empty');
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const directives = parseDirectives(lines);
  const reader = new LineReader(lines, directives);
  const nodes: Node[] = [];
  for (let node = reader.next(); node; node = reader.next()) nodes.push(node);
  if (nodes.length === 0) throw parseError({ first: 1, last: 1 }, 'file with no instructions');
  return { directives, nodes };
}

/** A line that goes on, by its escape; one that is itself escaped continues nothing. */
const continued = { '\\': /(^|[^\\])\\[ \t]*$/, '`': /(^|[^`])`[ \t]*$/ };

class LineReader {
  readonly #lines: readonly string[];
  readonly #escape: string;
  readonly #continued: RegExp;
  #at: number;

  constructor(lines: readonly string[], { escape: mark, lines: skipped }: Directives) {
    this.#lines = lines;
    this.#escape = mark;
    this.#continued = continued[mark];
    this.#at = skipped;
  }

  next(): Node | null {
    while (this.#at < this.#lines.length && isSkipped(this.#lines[this.#at]!)) this.#at++;
    if (this.#at >= this.#lines.length) return null;
    const first = this.#at + 1;
    const { text, hasEmptyLines } = this.#joined();
    const joinedTo = this.#at;
    const starts = heredocsOf(text, this.#escape);
    const heredocs = starts.map((start) => ({ ...start, raw: this.#document(start, first) }));
    const [, keyword = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text)!;
    return { keyword, rest, text, range: { first, last: this.#at }, joinedTo, hasEmptyLines, heredocs };
  }

  /** An instruction's lines as one. Comments and empty lines between them do not count. */
  #joined(): { text: string; hasEmptyLines: boolean } {
    let text = '';
    let hasEmptyLines = false;
    for (let isFirst = true; this.#at < this.#lines.length; isFirst = false) {
      const line = this.#lines[this.#at++]!;
      if (!isFirst && isSkipped(line)) {
        hasEmptyLines ||= line.trim() === '';
        continue;
      }
      const own = isFirst ? line.trimStart() : line;
      const continued = this.#continued.test(own);
      text += continued ? own.replace(this.#continued, '$1') : own;
      if (!continued) break;
    }
    return { text: text.trim(), hasEmptyLines };
  }

  #document({ name, chomp }: { readonly name: string; readonly chomp: boolean }, first: number): string {
    let raw = '';
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at++]!;
      if ((chomp ? line.replace(/^\t+/, '') : line) === name) return raw;
      raw += `${line}\n`;
    }
    throw parseError({ first, last: this.#at }, 'unterminated heredoc');
  }
}

function isSkipped(line: string): boolean {
  return /^\s*(#.*)?$/.test(line);
}
