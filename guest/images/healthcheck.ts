import { InvalidParameter } from '../errors.ts';

type Healthcheck = Readonly<Record<string, unknown>>;

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** What the instruction's flags set, and how each is read. */
const flags: Readonly<Record<string, readonly [string, (text: string) => number | null]>> = {
  interval: ['Interval', parseDuration],
  timeout: ['Timeout', parseDuration],
  'start-period': ['StartPeriod', parseDuration],
  'start-interval': ['StartInterval', parseDuration],
  retries: ['Retries', (text) => (/^\d{1,9}$/.test(text) ? Number(text) : null)],
};

/**
 * The text after `HEALTHCHECK` in a Dockerfile: `NONE`, or flags and `CMD` with a command. Throws
 * InvalidParameter that shows the line.
 */
export function parseHealthcheck(text: string, line: string): Healthcheck {
  const wrong = (why: string) => new InvalidParameter(`invalid change ${JSON.stringify(line)}: ${why}`);
  const check: Record<string, unknown> = {};
  let rest = text.trim();
  for (let flag = /^--([a-z-]+)=(\S+)\s*/.exec(rest); flag; flag = /^--([a-z-]+)=(\S+)\s*/.exec(rest)) {
    const [whole, name, value] = flag as unknown as [string, string, string];
    const [member, read] = flags[name] ?? [];
    if (!member || !read) throw wrong(`unknown flag "--${name}"`);
    const number = read(value);
    if (number === null) throw wrong(`"${value}" is no value for --${name}`);
    check[member] = number;
    rest = rest.slice(whole.length);
  }
  if (/^NONE$/i.test(rest)) return { Test: ['NONE'] };
  const command = /^CMD\s+(.*)$/is.exec(rest)?.[1];
  if (!command) throw wrong('expected NONE or CMD with a command');
  return { Test: testOf(command), ...check };
}

function testOf(command: string): string[] {
  try {
    const words: unknown = JSON.parse(command);
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return ['CMD', ...words];
  } catch {
    // Not JSON: meant for the shell.
  }
  return ['CMD-SHELL', command];
}

/** Go's notation (`1m30s`) in nanoseconds. */
function parseDuration(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)/g))
    total += Number(amount) * nanoseconds[unit!]!;
  return total;
}
