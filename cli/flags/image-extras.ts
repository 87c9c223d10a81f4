import { Option } from 'commander';
import { InvalidArgument } from '../../drivers/errors.ts';
import { type ImageExtra, imageExtras } from '../../images/os-image.ts';
import { repeated } from './repeated.ts';

export interface ImageExtraFlags {
  /** Absent when nothing was said. */
  readonly with?: readonly string[];
}

/** `--with`, of commands that choose an OS image. */
export function imageExtrasFlag(): Option {
  return new Option(
    '--with <EXTRA>',
    `what the OS image has besides the usual: ${imageExtras.join(', ')} (to run programs of other architectures)`,
  ).argParser((value: string, before: readonly string[] | undefined) => repeated(value, before ?? []));
}

/** `none` is a way to say that there is to be nothing. Throws InvalidArgument. */
export function imageExtrasOf(words: readonly string[]): ImageExtra[] {
  if (words.length === 1 && words[0] === 'none') return [];
  return [...new Set(words)].sort().map((word) => {
    const known = imageExtras.find((extra) => extra === word);
    if (known === undefined)
      throw new InvalidArgument(`--with ${word}: an OS image can have ${imageExtras.join(', ')}, or none`);
    return known;
  });
}
