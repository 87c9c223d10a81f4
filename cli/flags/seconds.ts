import { InvalidArgumentError } from 'commander';

/** A flag's value in whole seconds. */
export function seconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Give a number of seconds.');
  return Number(text);
}
