/**
 * What an answer looks like, after the API's definition (swagger, v1.50): a word for a simple value, `[shape]`
 * for an array, `{ key: shape }` for an object (`'key?'` may be absent), `mapOf` for one with free keys,
 * `orNull` where the definition or dockerd has null.
 */
export type Shape =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'time'
  | 'id'
  | 'digest'
  | 'empty'
  | readonly [Shape]
  | MapShape
  | NullShape
  | { readonly [key: string]: Shape };

class MapShape {
  readonly of: Shape;
  constructor(of: Shape) {
    this.of = of;
  }
}

class NullShape {
  readonly of: Shape;
  constructor(of: Shape) {
    this.of = of;
  }
}

export const mapOf = (of: Shape) => new MapShape(of);
export const orNull = (of: Shape) => new NullShape(of);

const words: Readonly<Record<Extract<Shape, string>, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  time: (value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value),
  id: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  digest: (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value),
  empty: (value) => typeof value === 'object' && value !== null && Object.keys(value).length === 0,
};

/** Where a value differs from its shape, one line each; empty when it does not. */
export function misfits(shape: Shape, value: unknown, at = '$'): string[] {
  if (shape instanceof NullShape) return value === null ? [] : misfits(shape.of, value, at);
  if (typeof shape === 'string')
    return words[shape](value) ? [] : [`${at} is ${show(value)}, not of kind ${shape}`];
  if (isArray(shape)) {
    if (!Array.isArray(value)) return [`${at} is ${show(value)}, not an array`];
    return value.flatMap((item, index) => misfits(shape[0], item, `${at}[${index}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${at} is ${show(value)}, not an object`];
  if (shape instanceof MapShape)
    return Object.entries(value).flatMap(([key, item]) => misfits(shape.of, item, `${at}.${key}`));
  return Object.entries(shape).flatMap(([name, of]) => {
    const key = name.replace(/\?$/, '');
    if (Object.hasOwn(value, key))
      return misfits(of, (value as Record<string, unknown>)[key], `${at}.${key}`);
    return name.endsWith('?') ? [] : [`${at}.${key} is missing`];
  });
}

function isArray(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function show(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 60);
}
