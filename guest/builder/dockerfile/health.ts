import type { Flags } from './flags.ts';
import { jsonWords } from './words.ts';

const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const leastNs = 1e6;

/** HEALTHCHECK as the image configuration has it. Throws Error in docker's words. */
export function parseHealth(rest: string, flags: Flags): Readonly<Record<string, unknown>> {
  const [, word = '', after = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest)!;
  if (word === '') throw new Error('HEALTHCHECK requires at least one argument');
  const type = word.toUpperCase();
  if (type === 'NONE') {
    if (after !== '') throw new Error('HEALTHCHECK NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (type !== 'CMD') throw new Error(`Unknown type "${type}" in HEALTHCHECK (try CMD)`);
  const words = jsonWords(after);
  if (words ? words.length === 0 : after === '') throw new Error('Missing command after HEALTHCHECK CMD');
  const times = {
    Interval: duration('interval', flags),
    Timeout: duration('timeout', flags),
    StartPeriod: duration('start-period', flags),
    StartInterval: duration('start-interval', flags),
    Retries: retries(flags.text('retries')),
  };
  return {
    Test: words ? ['CMD', ...words] : ['CMD-SHELL', after],
    ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== 0)),
  };
}

/** Nanoseconds; 0 when it was not given. */
function duration(name: string, flags: Flags): number {
  const text = flags.text(name);
  if (text === undefined || text === '0') return 0;
  if (!/^[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text))
    throw new Error(`time: invalid duration "${text}"`);
  let ns = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)/g))
    ns += Number(number) * units[unit!]!;
  if (text.startsWith('-')) ns = -ns;
  if (ns !== 0 && ns < leastNs) throw new Error(`Interval "${name}" cannot be less than 1ms`);
  return Math.round(ns);
}

function retries(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  if (Number(text) < 0) throw new Error(`--retries cannot be negative (${Number(text)})`);
  return Number(text);
}
