import type { z } from 'zod';

/** What encoding/json calls what zod expects. */
const kinds: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'bool',
  int: 'int64',
  number: 'int64',
  array: 'list',
  tuple: 'list',
  record: 'map',
  object: 'struct',
};

/** What a value in JSON is, in encoding/json's words; a number that is not whole with its value. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' && !Number.isInteger(value)) return `number ${value}`;
  return typeof value;
}

/**
 * A body whose JSON is well-formed but of another shape, said as Go's decoder says it as far as that is not about
 * Go's types: clients and tests look for `invalid JSON` and `cannot unmarshal`.
 */
export function shapeError({ issues }: z.ZodError, body: unknown): string {
  const issue = issues[0]!;
  const field = issue.path.map(String).join('.');
  const value = issue.path.reduce<unknown>(
    (at, key) => (at as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key],
    body,
  );
  const expected =
    issue.code === 'invalid_type'
      ? kinds[issue.expected]
      : issue.code === 'invalid_union'
        ? 'string or list of strings'
        : undefined;
  if (expected === undefined || value === undefined)
    return field ? `invalid ${field}: ${issue.message}` : issue.message;
  const where = field ? `field ${field}` : 'value';
  return `invalid JSON: json: cannot unmarshal ${kindOf(value)} into ${where} of type ${expected}`;
}
