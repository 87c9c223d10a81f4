import { Usage } from './errors.ts';

/** A flag of a command: `boolean`, `text` (the last one wins) or `list` (may be repeated). */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly kind: 'boolean' | 'text' | 'list';
  /** The placeholder of its value. */
  readonly value?: string;
  readonly help: string;
}

export interface ParsedFlags {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  /** What is no flag. */
  readonly words: readonly string[];
}

/**
 * Parses as the docker CLI does: `-it`, `-p 80:80`, `--name=x`, `--`. With `stopAtWord`, everything from
 * the first word on is words, flags too: they are the container's. Throws Usage that names an unknown flag.
 */
export function parseFlags(
  args: readonly string[],
  flags: readonly Flag[],
  { stopAtWord = false }: { stopAtWord?: boolean } = {},
): ParsedFlags {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const rest = [...args];
  const set = (flag: Flag, value: string) => {
    const all = flag.kind === 'list' ? (values.get(flag.name) ?? []) : [];
    values.set(flag.name, [...all, value]);
  };
  const next = (shown: string) => {
    const value = rest.shift();
    if (value === undefined) throw new Usage(`flag needs an argument: ${shown}`);
    return value;
  };
  while (rest.length > 0) {
    const arg = rest.shift()!;
    if (arg === '--') {
      words.push(...rest.splice(0));
    } else if (arg.startsWith('--')) {
      const [shown = '', ...parts] = arg.split('=');
      const flag = flags.find(({ name }) => `--${name}` === shown) ?? unknown(shown);
      if (flag.kind === 'boolean') set(flag, truth(shown, parts));
      else set(flag, parts.length > 0 ? parts.join('=') : next(shown));
    } else if (arg.startsWith('-') && arg !== '-') {
      for (let at = 1; at < arg.length; at++) {
        const shown = `-${arg[at]}`;
        const flag = flags.find(({ short }) => short === arg[at]) ?? unknown(shown);
        if (flag.kind === 'boolean') {
          set(flag, 'true');
          continue;
        }
        set(flag, at + 1 < arg.length ? arg.slice(at + 1).replace(/^=/, '') : next(shown));
        break;
      }
    } else {
      words.push(arg);
      if (stopAtWord) words.push(...rest.splice(0));
    }
  }
  return {
    flag: (name) => values.get(name)?.at(-1) === 'true',
    text: (name) => values.get(name)?.at(-1),
    list: (name) => values.get(name) ?? [],
    words,
  };
}

function truth(shown: string, parts: readonly string[]): string {
  const [word = 'true'] = parts;
  if (word !== 'true' && word !== 'false')
    throw new Usage(`invalid value "${word}" for ${shown}; expected true or false`);
  return word;
}

function unknown(shown: string): never {
  throw new Usage(`unknown flag: ${shown}`);
}
