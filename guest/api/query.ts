import { InvalidParameter } from '../errors.ts';
import type { Query } from './handler.ts';

/** Words that Docker takes for false in a query (moby, httputils.BoolValue). */
const falsy = new Set(['', '0', 'no', 'false', 'none']);

export function createQuery(search: string): Query {
  const values = new URLSearchParams(search);
  return {
    text: (name) => values.get(name) ?? undefined,
    all: (name) => values.getAll(name),
    flag: (name) => !falsy.has((values.get(name) ?? '').trim().toLowerCase()),
    integer(name) {
      const text = values.get(name);
      if (text === null || text === '') return undefined;
      if (!/^[+-]?\d{1,15}$/.test(text)) {
        throw new InvalidParameter(`invalid value "${text}" for "${name}"; expected a whole number`);
      }
      return Number(text);
    },
    required(name) {
      const value = this.integer(name);
      if (value === undefined) throw new InvalidParameter(`"${name}" is missing; expected a whole number`);
      return value;
    },
    filters: () => parseFilters(values.get('filters') ?? ''),
  };
}

/** Reads `{"label":["a"]}` and the form of clients before API 1.22, `{"label":{"a":true}}`. */
function parseFilters(text: string): ReadonlyMap<string, readonly string[]> {
  if (text === '') return new Map();
  const wrong = (cause?: unknown) =>
    new InvalidParameter(`invalid filters ${JSON.stringify(text)}; expected {"name":["value"]}`, { cause });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw wrong(error);
  }
  if (parsed === null) return new Map();
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw wrong();
  return new Map(
    Object.entries(parsed).map(([name, value]: [string, unknown]) => {
      if (Array.isArray(value)) {
        if (!value.every((item) => typeof item === 'string')) throw wrong();
        return [name, value];
      }
      if (typeof value !== 'object' || value === null) throw wrong();
      return [
        name,
        Object.entries(value)
          .filter(([, on]) => on)
          .map(([word]) => word),
      ];
    }),
  );
}
