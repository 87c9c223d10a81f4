import { BuildError } from '../build-error.ts';

/**
 * Variables in a word, as in a shell: `$NAME`, `${NAME}`, with `:-` `-` `:+` `+` `:?` `?` `#` `##` `%` `%%` `/`
 * `//`; quotes and escapes are taken away. (BuildKit's reference, "Environment replacement".)
 */
export interface ExpandOptions {
  readonly mark: string;
  readonly lookup: (name: string) => string | undefined;
  /** Told of every variable that is not set and for which the word has nothing in its place. */
  readonly onUnset?: (name: string) => void;
  /** Keeps quotes and escapes as they are: for texts that another program reads. */
  readonly raw?: boolean;
  /** Keeps variables that are not set. */
  readonly keepUnset?: boolean;
  /** A document: quotes mean nothing in it. */
  readonly document?: boolean;
}

/** A word that cannot be expanded; the caller knows the line. */
export class ExpansionError extends BuildError {}

/** One word to one word. Throws ExpansionError. */
export function expandWord(word: string, options: ExpandOptions): string {
  return new Expander(word, options).run().text;
}

/** Quoted white space does not separate. */
export function expandWords(word: string, options: ExpandOptions): string[] {
  return new Expander(word, options).run().words;
}

class Expander {
  readonly #source: string;
  readonly #options: ExpandOptions;
  #at = 0;
  #words: string[] = [];
  #word: string | null = null;

  constructor(source: string, options: ExpandOptions) {
    this.#source = source;
    this.#options = options;
  }

  run(): { text: string; words: string[] } {
    const text = this.#until('');
    if (this.#word !== null) this.#words.push(this.#word);
    return { text, words: this.#words };
  }

  /** Up to an unquoted `stop`, which is not taken. */
  #until(stop: string): string {
    const { mark, raw } = this.#options;
    let text = '';
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at]!;
      if (stop !== '' && char === stop) return text;
      if (this.#options.document && (char === "'" || char === '"')) {
        this.#at++;
        text += char;
      } else if (char === "'") text += this.#put(this.#single());
      else if (char === '"') text += this.#put(this.#double());
      else if (char === '$') {
        const value = this.#dollar();
        text += value;
        if (stop === '') this.#split(value);
      } else if (char === mark) {
        this.#at++;
        const next = this.#source[this.#at];
        if (next === undefined) {
          // An escape with nothing after it stands for itself.
          text += this.#put(mark);
          break;
        }
        this.#at++;
        text += this.#put(raw ? mark + next : next);
      } else {
        this.#at++;
        text += char;
        if (stop === '') this.#split(char);
      }
    }
    if (stop !== '')
      throw new ExpansionError(`unexpected end of statement while looking for matching ${stop}`);
    return text;
  }

  #put(text: string): string {
    this.#word = (this.#word ?? '') + text;
    return text;
  }

  #split(text: string): void {
    for (const part of text.split(/(\s+)/)) {
      if (part === '') continue;
      if (/^\s/.test(part)) {
        if (this.#word !== null) this.#words.push(this.#word);
        this.#word = null;
      } else this.#word = (this.#word ?? '') + part;
    }
  }

  #single(): string {
    const end = this.#source.indexOf("'", this.#at + 1);
    if (end < 0)
      throw new ExpansionError('unexpected end of statement while looking for matching single-quote');
    const inside = this.#source.slice(this.#at + 1, end);
    this.#at = end + 1;
    return this.#options.raw ? `'${inside}'` : inside;
  }

  #double(): string {
    const { mark, raw } = this.#options;
    let text = '';
    this.#at++;
    while (this.#at < this.#source.length) {
      const char = this.#source[this.#at]!;
      if (char === '"') {
        this.#at++;
        return raw ? `"${text}"` : text;
      }
      if (char === '$') {
        text += this.#dollar();
        continue;
      }
      const next = this.#source[this.#at + 1];
      if (char === mark && next !== undefined) {
        const special = next === '"' || next === '$' || next === mark;
        text += raw || !special ? char + next : next;
        this.#at += 2;
        continue;
      }
      text += char;
      this.#at++;
    }
    throw new ExpansionError('unexpected end of statement while looking for matching double-quote');
  }

  #dollar(): string {
    const start = this.#at++;
    if (this.#source[this.#at] !== '{') {
      const name = this.#name();
      if (name === '') return '$';
      return this.#value(name, start) ?? '';
    }
    this.#at++;
    const name = this.#name();
    if (name === '') {
      throw new ExpansionError('syntax error: bad substitution');
    }
    const char = this.#source[this.#at];
    if (char === '}') {
      this.#at++;
      return this.#value(name, start) ?? '';
    }
    if (char === undefined) throw new ExpansionError("syntax error: missing '}'");
    return this.#modified(name);
  }

  #value(name: string, start: number): string | undefined {
    const value = this.#options.lookup(name);
    if (value === undefined) this.#options.onUnset?.(name);
    if (value === undefined && this.#options.keepUnset) return this.#source.slice(start, this.#at);
    return value;
  }

  #name(): string {
    const match = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#!?$-])/.exec(this.#source.slice(this.#at));
    const name = match?.[0] ?? '';
    this.#at += name.length;
    return name;
  }

  #modified(name: string): string {
    const rest = this.#source.slice(this.#at);
    const modifier = /^(?::[-+?]|[-+?]|##?|%%?|\/\/?)/.exec(rest)?.[0];
    if (modifier === undefined) {
      const written = rest.startsWith(':') ? rest.slice(0, 2) : rest[0];
      throw new ExpansionError(`unsupported modifier (${written}) in substitution`);
    }
    this.#at += modifier.length;
    const value = this.#options.lookup(name);
    if (value === undefined && !/[-+?]/.test(modifier)) this.#options.onUnset?.(name);
    if (modifier.startsWith('/')) return this.#replaced(value ?? '', modifier === '//');
    const word = this.#inner('}');
    const isSet = value !== undefined && (value !== '' || !modifier.startsWith(':'));
    switch (modifier.at(-1)) {
      case '-':
        return isSet ? value : word;
      case '+':
        return isSet ? word : '';
      case '?':
        if (isSet) return value;
        throw new ExpansionError(`${name}: ${word || 'not allowed to be unset'}`);
      case '#':
        return trimPrefix(value ?? '', word, modifier === '##');
      default:
        return trimSuffix(value ?? '', word, modifier === '%%');
    }
  }

  #replaced(value: string, all: boolean): string {
    const pattern = this.#inner('/');
    const replacement = this.#inner('}');
    const source = globSource(pattern, { greedy: true });
    return value.replace(new RegExp(source, all ? 'gs' : 's'), () => replacement);
  }

  /** A word within braces, and the character that ends it. */
  #inner(stop: string): string {
    const words = this.#words;
    const word = this.#word;
    this.#words = [];
    const text = this.#until(stop);
    this.#words = words;
    this.#word = word;
    this.#at++;
    return text;
  }
}

function trimPrefix(value: string, pattern: string, longest: boolean): string {
  const match = new RegExp(`^(?:${globSource(pattern, { greedy: longest })})`, 's').exec(value);
  return match ? value.slice(match[0].length) : value;
}

function trimSuffix(value: string, pattern: string, longest: boolean): string {
  const whole = new RegExp(`^(?:${globSource(pattern, { greedy: true })})$`, 's');
  const starts = Array.from({ length: value.length + 1 }, (_, i) => (longest ? i : value.length - i));
  const at = starts.find((start) => whole.test(value.slice(start)));
  return at === undefined ? value : value.slice(0, at);
}

/** A shell pattern as a regular expression: `*`, `?` and escaped characters. */
function globSource(pattern: string, { greedy }: { readonly greedy: boolean }): string {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*') source += greedy ? '.*' : '.*?';
    else if (char === '?') source += '.';
    else {
      const plain = char === '\\' && i + 1 < pattern.length ? pattern[++i]! : char;
      source += plain.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    }
  }
  return source;
}
