import { BuildError } from '../build-error.ts';

/**
 * `.dockerignore` as moby's patternmatcher has it: `*`, `?`, `[…]`, `**`, `!` takes back, the last match counts, and
 * what is below a match matches too.
 */
export interface IgnoreRules {
  /** @param path relative, with `/` */
  excludes(path: string): boolean;
  /** Nothing below this excluded directory is taken back, so that it need not be looked into. */
  excludesAll(directory: string): boolean;
}

export const ignoreNothing: IgnoreRules = { excludes: () => false, excludesAll: () => false };

interface Rule {
  readonly pattern: string;
  readonly takesBack: boolean;
  readonly test: RegExp;
}

/** Lines of an ignore file that mean something: no comments, cleaned paths. */
export function ignoreLines(text: string): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Throws BuildError for a pattern that is none. */
export function ignoreRules(lines: readonly string[]): IgnoreRules {
  const rules = lines.flatMap((line): Rule[] => {
    const takesBack = line.startsWith('!');
    const pattern = clean(takesBack ? line.slice(1).trim() : line);
    if (takesBack && pattern === '') throw new BuildError('illegal exclusion pattern: "!"');
    return pattern === '' || pattern === '.' ? [] : [{ pattern, takesBack, test: patternRegExp(pattern) }];
  });
  const takers = rules.filter(({ takesBack }) => takesBack);
  const excludes = (path: string) => {
    let excluded = false;
    const prefixes = path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'));
    for (const { takesBack, test } of rules) {
      if (takesBack === excluded && prefixes.some((prefix) => test.test(prefix))) excluded = !takesBack;
    }
    return excluded;
  };
  return {
    excludes,
    excludesAll: (directory) =>
      excludes(directory) &&
      !takers.some(({ pattern }) => {
        const fixed = pattern.split('/').findIndex((part) => /[*?[\\]/.test(part));
        const stem = fixed < 0 ? pattern : pattern.split('/').slice(0, fixed).join('/');
        return (
          stem === '' || `${stem}/`.startsWith(`${directory}/`) || `${directory}/`.startsWith(`${stem}/`)
        );
      }),
  };
}

function clean(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..') parts.push(part);
  }
  return parts.join('/');
}

/** A cleaned pattern as a regular expression for one whole path. Throws Error. */
export function patternRegExp(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (pattern.startsWith('**', i)) {
      i++;
      if (pattern[i + 1] === '/') {
        // Any number of directories, none too.
        i++;
        source += '(?:.*/)?';
      } else source += '.*';
    } else if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', i + 2);
      if (end < 0) throw new BuildError(`syntax error in pattern: "${pattern}"`);
      const inside = pattern.slice(i + 1, end);
      source += `[${inside.replace(/^!/, '^').replace(/[\\[]/g, '\\$&')}]`;
      i = end;
    } else if (char === '\\') {
      if (++i >= pattern.length) throw new BuildError(`syntax error in pattern: "${pattern}"`);
      source += escapeChar(pattern[i]!);
    } else source += escapeChar(char);
  }
  return new RegExp(`^${source}$`, 's');
}

function escapeChar(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
