import { Transform, type TransformCallback } from 'node:stream';
import { InvalidParameter } from '../errors.ts';

export const defaultDetachKeys = 'ctrl-p,ctrl-q';

/** `ctrl-p,ctrl-q` or `a,ctrl-[` -> bytes. Throws InvalidParameter. */
export function parseDetachKeys(text: string): Buffer {
  return Buffer.from(
    text.split(',').map((key) => {
      if (key.length === 1) return key.charCodeAt(0);
      const found = /^ctrl-([a-z@[\\\]^_])$/i.exec(key);
      if (!found) throw new InvalidParameter(`Invalid detach keys (${text}) provided`);
      return found[1]!.toUpperCase().charCodeAt(0) & 0x1f;
    }),
  );
}

/** Passes bytes on until the keys were typed; then calls `onDetach` and passes nothing more. */
export class DetachFilter extends Transform {
  readonly #keys: Buffer;
  readonly #onDetach: () => void;
  #seen = 0;
  #detached = false;

  constructor(keys: Buffer, onDetach: () => void) {
    super();
    this.#keys = keys;
    this.#onDetach = onDetach;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    const out: number[] = [];
    for (const byte of chunk) {
      if (this.#detached) break;
      if (byte === this.#keys[this.#seen]) {
        if (++this.#seen === this.#keys.length) {
          this.#detached = true;
          this.#onDetach();
        }
        continue;
      }
      out.push(...this.#keys.subarray(0, this.#seen));
      this.#seen = byte === this.#keys[0] ? 1 : 0;
      if (this.#seen === 0) out.push(byte);
    }
    callback(null, Buffer.from(out));
  }
}
