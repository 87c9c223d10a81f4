import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { InvalidParameter, TooLarge } from '../errors.ts';

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
  const result = schema.safeParse(bytes.length === 0 ? {} : parse(bytes, headers['content-type']));
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const field = issue.path.map(String).join('.');
  if (issue.code === 'custom' && !field) throw new InvalidParameter(issue.message);
  throw new InvalidParameter(field ? `invalid ${field}: ${issue.message}` : `invalid body: ${issue.message}`);
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
  try {
    return JSON.parse(bytes.toString('utf8')) ?? {};
  } catch (error) {
    const { message } = error as Error;
    if (/after JSON/.test(message)) throw new InvalidParameter('unexpected content after JSON');
    throw new InvalidParameter(`invalid JSON: ${message}`);
  }
}
