import { parseError } from './parse-error.ts';

/** `# name=value` lines at the very top, before any other comment, instruction or empty line. */
export interface Directives {
  readonly escape: '\\' | '`';
  /** Another front end's image; ours serves those of Docker's own name. */
  readonly syntax: string | null;
  /** `skip=…;error=true` */
  readonly check: string | null;
  /** How many lines they take. */
  readonly lines: number;
}

const known = ['escape', 'syntax', 'check'];

/** Throws BuildError for an unknown escape character or a directive given twice. */
export function parseDirectives(lines: readonly string[]): Directives {
  const found = new Map<string, string>();
  let at = 0;
  for (; at < lines.length; at++) {
    const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(lines[at]!);
    const name = match?.[1]?.toLowerCase() ?? '';
    if (!match || !known.includes(name)) break;
    const range = { first: at + 1, last: at + 1 };
    if (found.has(name)) throw parseError(range, `only one ${name} parser directive can be used`);
    if (name === 'escape' && match[2] !== '\\' && match[2] !== '`')
      throw parseError(range, `invalid escape token '${match[2]}' does not match \` or \\`);
    found.set(name, match[2]!);
  }
  return {
    escape: found.get('escape') === '`' ? '`' : '\\',
    syntax: found.get('syntax') ?? null,
    check: found.get('check') ?? null,
    lines: at,
  };
}
