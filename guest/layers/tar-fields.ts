import { InvalidParameter } from '../errors.ts';

/** Numbers and strings of a tar header block (POSIX pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"). */

/** Bytes up to the first NUL. */
export function readString(block: Buffer, offset: number, length: number): string {
  const text = block.toString('latin1', offset, offset + length);
  const nul = text.indexOf('\0');
  return nul < 0 ? text : text.slice(0, nul);
}

/**
 * Octal digits, or GNU's base-256: a first byte of 0x80 (positive) or 0xff (negative) and a big-endian
 * two's complement number. Throws InvalidParameter for anything else and for numbers past 2^53.
 */
export function readNumber(block: Buffer, offset: number, length: number): number {
  const first = block[offset]!;
  if (first & 0x80) return readBase256(block, offset, length);
  let value = 0;
  let digits = false;
  for (let i = offset; i < offset + length; i++) {
    const byte = block[i]!;
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + byte - 0x30;
      digits = true;
    } else if (byte === 0 || byte === 0x20) {
      if (digits) break;
    } else throw new InvalidParameter('malformed tar: a number in a header is not octal');
  }
  return value;
}

function readBase256(block: Buffer, offset: number, length: number): number {
  const hex = block.toString('hex', offset, offset + length);
  const value = BigInt.asIntN(length * 8 - 1, BigInt(`0x${hex}`));
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new InvalidParameter('malformed tar: a number is too large');
  return number;
}

/** Zero-padded octal and a NUL. The caller has checked that it fits: {@link fitsOctal}. */
export function writeOctal(block: Buffer, value: number, offset: number, length: number): void {
  block.write(value.toString(8).padStart(length - 1, '0'), offset, length - 1, 'latin1');
}

/** Whether a number fits an octal field of this length. */
export function fitsOctal(value: number, length: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 8 ** (length - 1);
}

/** Sum of all bytes with the checksum field taken as spaces. */
export function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < 512; i++) sum += block[i]!;
  for (let i = 148; i < 156; i++) sum -= block[i]!;
  return sum;
}

/** The same with bytes taken as signed, as some old writers did. */
export function signedChecksum(block: Buffer): number {
  let sum = checksum(block);
  for (let i = 0; i < 512; i++) if (block[i]! > 127 && (i < 148 || i > 155)) sum -= 256;
  return sum;
}
