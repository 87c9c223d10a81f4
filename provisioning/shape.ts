/**
 * Checks of parsed JSON that give it a type. Five of them, because the record is read by `machine env` and
 * `machine ls`, whose whole time is a few dozen milliseconds: loading zod alone takes 24 of them.
 *
 * Each returns the value it was given or throws ShapeError.
 */
export type Check<Type> = (value: unknown, path: string) => Type;
export type Checked<C> = C extends Check<infer Type> ? Type : never;

export class ShapeError extends Error {
  constructor(path: string, expected: string) {
    super(`"${path}" is not ${expected}`);
  }
}

export const text: Check<string> = (value, path) => {
  if (typeof value !== 'string') throw new ShapeError(path, 'a text');
  return value;
};

/** Not below zero. */
export const wholeNumber: Check<number> = (value, path) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new ShapeError(path, 'a whole number');
  return value as number;
};

export const flag: Check<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new ShapeError(path, 'true or false');
  return value;
};

export const anything: Check<unknown> = (value) => value;

export function oneOf<const Word extends string | number>(...words: readonly Word[]): Check<Word> {
  return (value, path) => {
    const word = words.find((known) => known === value);
    if (word === undefined) throw new ShapeError(path, `one of ${words.join(', ')}`);
    return word;
  };
}

export function nullable<Type>(check: Check<Type>): Check<Type | null> {
  return (value, path) => (value === null ? null : check(value, path));
}

/** For fields that older records do not have. */
export function givenOr<Type>(otherwise: Type, check: Check<Type>): Check<Type> {
  return (value, path) => (value === undefined ? otherwise : check(value, path));
}

export function list<Type>(check: Check<Type>): Check<readonly Type[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(path, 'a list');
    return value.map((item, i) => check(item, `${path}[${i}]`));
  };
}

/** Fields that are not named are dropped. */
export function object<Fields extends Readonly<Record<string, Check<unknown>>>>(
  fields: Fields,
): Check<{ readonly [Name in keyof Fields]: Checked<Fields[Name]> }> {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ShapeError(path, 'an object');
    const given = value as Readonly<Record<string, unknown>>;
    const entries = Object.entries(fields).map(([name, check]) => [
      name,
      check(given[name], path === '' ? name : `${path}.${name}`),
    ]);
    return Object.fromEntries(entries) as { readonly [Name in keyof Fields]: Checked<Fields[Name]> };
  };
}
