import type { CreateRequest } from './driver.ts';
import { PreCreateError } from './errors.ts';

type Options = CreateRequest['options'];

/** The value of a flag that takes one, or undefined when it was not given. Throws PreCreateError on a wrong type. */
export function textOption(options: Options, flag: string): string | undefined {
  const value = options[flag];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new PreCreateError(`--${flag} takes one value`);
  return value;
}

/** A whole number within bounds. Throws PreCreateError naming the flag, what was given and what fits. */
export function numberOption(
  options: Options,
  flag: string,
  { min, max, unit }: { readonly min: number; readonly max: number; readonly unit?: string },
): number {
  const text = textOption(options, flag);
  const value = Number(text);
  if (text !== undefined && /^\d+$/.test(text) && value >= min && value <= max) return value;
  const range = `a whole number from ${min} to ${max}${unit === undefined ? '' : ` ${unit}`}`;
  throw new PreCreateError(`--${flag} is ${text === undefined ? 'missing' : `"${text}"`}; give ${range}`);
}

/** One of a few words. Throws PreCreateError listing them. */
export function wordOption<Word extends string>(
  options: Options,
  flag: string,
  words: readonly Word[],
): Word {
  const text = textOption(options, flag);
  const word = words.find((known) => known === text);
  if (word === undefined)
    throw new PreCreateError(`--${flag} is "${text ?? ''}"; give one of ${words.join(', ')}`);
  return word;
}
