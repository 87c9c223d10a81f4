import { suggestion } from './parse-error.ts';

/** `--name=value` words before an instruction's arguments. */
export interface Flag {
  readonly name: string;
  /** Null for `--name` alone. */
  readonly value: string | null;
}

/** Flags at the beginning, and what follows them. Quotes group; a lone `--` ends the flags. */
export function splitFlags(rest: string, mark: string): { flags: Flag[]; rest: string } {
  const flags: Flag[] = [];
  let at = 0;
  for (;;) {
    while (/\s/.test(rest[at] ?? '')) at++;
    if (!rest.startsWith('--', at)) break;
    const { word, end } = takeWord(rest, at, mark);
    at = end;
    if (word === '--') break;
    const equals = word.indexOf('=');
    flags.push(
      equals < 0
        ? { name: word.slice(2), value: null }
        : { name: word.slice(2, equals), value: word.slice(equals + 1) },
    );
  }
  return { flags, rest: rest.slice(at).trimStart() };
}

function takeWord(text: string, from: number, mark: string): { word: string; end: number } {
  let word = '';
  let quote = '';
  let at = from;
  for (; at < text.length; at++) {
    const char = text[at]!;
    if (quote === '' && /\s/.test(char)) break;
    if (char === mark && at + 1 < text.length && quote !== "'") {
      // Of an escape only the quote is taken away: the value is expanded later.
      const next = text[++at]!;
      word += next === '"' || next === "'" || /\s/.test(next) ? next : char + next;
    } else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else word += char;
  }
  return { word, end: at };
}

export const flagKinds = ['text', 'list', 'boolean'] as const;
export type FlagKind = (typeof flagKinds)[number];

/** The flags of one instruction by name; throws Error in docker's words. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(flags: readonly Flag[], known: Readonly<Record<string, FlagKind>>) {
    const values = new Map<string, string[]>();
    for (const { name, value } of flags) {
      const kind = known[name];
      if (kind === undefined) {
        throw new Error(`unknown flag: --${name}${suggestion(name, Object.keys(known))}`);
      }
      const before = values.get(name);
      if (before && kind !== 'list') throw new Error(`duplicate flag specified: --${name}`);
      if (kind === 'boolean') {
        const text = (value ?? 'true').toLowerCase();
        if (text !== 'true' && text !== 'false')
          throw new Error(`expecting boolean value for flag --${name}, not: ${value}`);
        values.set(name, [text]);
        continue;
      }
      if (value === null) throw new Error(`missing a value on flag: --${name}`);
      values.set(name, [...(before ?? []), value]);
    }
    this.#values = values;
  }

  text(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  flag(name: string): boolean {
    return this.text(name) === 'true';
  }
}
