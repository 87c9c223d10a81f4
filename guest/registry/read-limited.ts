import type { Readable } from 'node:stream';
import { EngineError } from '../errors.ts';
import { Unreachable } from './errors.ts';

/** A small body as a whole. Throws Unreachable when it breaks off, and Excessive. */
export async function readLimited(body: Readable, maxBytes: number, what: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > maxBytes) throw new Excessive(`${what} is larger than ${maxBytes} bytes`);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new Unreachable(`${what} broke off: ${(error as Error).message}`, { cause: error });
  }
  return Buffer.concat(pieces);
}

/** A registry sends more than anybody needs. */
export class Excessive extends EngineError {
  readonly httpStatus = 500;
}
