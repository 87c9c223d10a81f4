import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { InvalidParameter, TooLarge } from '../errors.ts';
import { shapeError } from './json-shape.ts';

/** The most a JSON body may hold; real ones are a few KiB. */
export const maxJsonBytes = 4 * 1024 * 1024;

/** What is said of a longer one. */
export const tooLarge = () => new TooLarge(`request body too large; at most ${maxJsonBytes} bytes of JSON`);

/**
 * Reads a body as JSON and checks it. An empty body is `{}`. Throws InvalidParameter that names the field,
 * or TooLarge.
 */
export async function readJson<T>(
  body: Readable,
  headers: IncomingHttpHeaders,
  schema: z.ZodType<T>,
): Promise<T> {
  const bytes = await readAll(body, headers);
  const value = bytes.length === 0 ? {} : parse(bytes, headers['content-type']);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InvalidParameter(shapeError(result.error, value));
}

async function readAll(body: Readable, headers: IncomingHttpHeaders): Promise<Buffer> {
  if (Number(headers['content-length'] ?? 0) > maxJsonBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  // The refusal of a body that is too large must still reach the client.
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxJsonBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer, contentType: string | undefined): unknown {
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    throw new InvalidParameter(
      `unsupported Content-Type header (${contentType ?? ''}): must be 'application/json'`,
    );
  }
  const text = bytes.toString('utf8').trim();
  try {
    const value = JSON.parse(text) ?? {};
    if (typeof value === 'object' && !Array.isArray(value)) return value;
  } catch (error) {
    const { message } = error as Error;
    if (text === '') throw new InvalidParameter('invalid JSON: got EOF while reading request body');
    // "Unterminated string in JSON at position 7", "Expected ',' or '}' after property value in JSON at position 18"
    const position = Number(/ at position (\d+)/.exec(message)?.[1] ?? Number.NaN);
    if (position >= text.length || /^Unexpected end|^Unterminated/.test(message))
      throw new InvalidParameter('invalid JSON: unexpected EOF');
    if (/after JSON/.test(message)) throw new InvalidParameter('unexpected content after JSON');
    throw new InvalidParameter(`invalid JSON: ${syntaxSentence(message, text[position])}`);
  }
  const kind = text.startsWith('[')
    ? 'array'
    : text.startsWith('"')
      ? 'string'
      : /^[tf]/.test(text)
        ? 'bool'
        : 'number';
  throw new InvalidParameter(`invalid JSON: json: cannot unmarshal ${kind} into value of type struct`);
}

/** V8's sentence in the words of Go's decoder, where it says the same. */
function syntaxSentence(message: string, at: string | undefined): string {
  const wrong = /^Unexpected token '(.*?)'/s.exec(message)?.[1];
  if (wrong !== undefined) return `invalid character ${quoted(wrong)} looking for beginning of value`;
  if (at === undefined) return message;
  if (/^Expected (?:double-quoted )?property name/.test(message))
    return `invalid character ${quoted(at)} looking for beginning of object key string`;
  if (/^Expected ':'/.test(message)) return `invalid character ${quoted(at)} after object key`;
  if (/after property value/.test(message))
    return `invalid character ${quoted(at)} after object key:value pair`;
  return /after array element/.test(message)
    ? `invalid character ${quoted(at)} after array element`
    : message;
}

function quoted(character: string): string {
  return character === "'" ? String.raw`'\''` : `'${character}'`;
}
