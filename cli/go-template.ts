import { InvalidArgument } from '../drivers/errors.ts';

/**
 * The part of Go's templates that people use with `--format`: `{{.Field.Inner}}`, `{{json .X}}`,
 * `{{prettyjson .X}}`, `{{.}}`, with `{{-`/`-}}` and text in between. Anything else is refused by name.
 */
export interface Template {
  /** Throws InvalidArgument when a field is not there. */
  render(data: unknown): string;
  /** The fields, in order, as they were written. */
  readonly fields: readonly (readonly string[])[];
}

type Part = string | { readonly as: 'text' | 'json' | 'prettyjson'; readonly field: readonly string[] };

/** Throws InvalidArgument naming what is not understood. */
export function parseTemplate(source: string): Template {
  const parts: Part[] = [];
  let trimNext = false;
  let rest = source;
  while (rest !== '') {
    const open = rest.indexOf('{{');
    let text = open < 0 ? rest : rest.slice(0, open);
    if (trimNext) text = text.trimStart();
    if (open < 0) {
      parts.push(text);
      break;
    }
    const close = rest.indexOf('}}', open);
    if (close < 0) throw new InvalidArgument(`"${source}" has "{{" without "}}"`);
    let action = rest.slice(open + 2, close);
    if (/^-\s/.test(action)) {
      text = text.trimEnd();
      action = action.slice(1);
    }
    trimNext = /\s-$/.test(action);
    if (trimNext) action = action.slice(0, -1);
    parts.push(text, parseAction(action.trim()));
    rest = rest.slice(close + 2);
  }
  return {
    render: (data) =>
      parts.map((part) => (typeof part === 'string' ? part : renderPart(part, data))).join(''),
    fields: parts.flatMap((part) => (typeof part === 'string' ? [] : [part.field])),
  };
}

function parseAction(action: string): Exclude<Part, string> {
  const match = /^(?:(json|prettyjson)\s+)?(\.|(?:\.[A-Za-z_]\w*)+)(?:\s*\|\s*(json|prettyjson))?$/.exec(
    action,
  );
  if (match === null || (match[1] && match[3]))
    throw new InvalidArgument(
      `"{{${action}}}" is not understood; there are {{.Field}}, {{json .Field}} and {{prettyjson .Field}}`,
    );
  const as = (match[1] ?? match[3] ?? 'text') as 'text' | 'json' | 'prettyjson';
  return { as, field: match[2]!.split('.').filter((name) => name !== '') };
}

function renderPart({ as, field }: Exclude<Part, string>, data: unknown): string {
  let value = data;
  for (const name of field) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      throw new InvalidArgument(`there is no field ".${field.join('.')}"; ${fieldsOf(value)}`);
    value = (value as Record<string, unknown>)[name];
  }
  if (as === 'json') return JSON.stringify(value);
  return as === 'prettyjson' ? JSON.stringify(value, null, 4) : goText(value);
}

function fieldsOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return 'there are none below it';
  return `there are ${Object.keys(value).join(', ')}`;
}

/** As Go prints values: `[a b]`, `map[k:v]`, `<nil>`. */
function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([k, v]) => `${k}:${goText(v)}`).join(' ')}]`;
}
