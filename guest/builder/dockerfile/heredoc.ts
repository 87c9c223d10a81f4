import { splitWords } from './words.ts';

/** A document in the Dockerfile itself: `<<NAME`, its lines, and a line `NAME`. */
export interface Heredoc {
  readonly name: string;
  /** Leading tabs of its lines do not count (`<<-`). */
  readonly chomp: boolean;
  /** Variables are expanded unless the name was quoted. */
  readonly expand: boolean;
  /** As it stands there. */
  readonly raw: string;
}

export type HeredocStart = Omit<Heredoc, 'raw'>;

const instructions = ['ADD', 'COPY', 'RUN'];

/** Those that a line begins. */
export function heredocsOf(line: string, mark: string): HeredocStart[] {
  const keywords = /^\s*(?:ONBUILD\s+)?([A-Za-z]+)/i.exec(line);
  if (!instructions.includes(keywords?.[1]?.toUpperCase() ?? '')) return [];
  return splitWords(line, mark).flatMap((word) => parseHeredoc(word) ?? []);
}

/** Null for any other word. */
export function parseHeredoc(word: string): HeredocStart | null {
  const match = /^\d*<<(-?)([^<]+)$/.exec(word);
  if (!match) return null;
  const written = match[2]!;
  const name = written.replace(/["'\\]/g, '');
  if (name === '' || /\s/.test(name)) return null;
  return { name, chomp: match[1] === '-', expand: name === written };
}

/** The document's text as programs and files get it. */
export function heredocText({ raw, chomp }: Heredoc): string {
  return chomp ? raw.replace(/^\t+/gm, '') : raw;
}
