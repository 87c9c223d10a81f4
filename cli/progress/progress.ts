import type { Progress } from '../../provisioning/progress.ts';
import { EventProgress } from './events.ts';
import { LineProgress } from './lines.ts';

export interface ProgressOptions {
  readonly json?: boolean | undefined;
  /** Several machines are worked on at once, so lines say which they are of. */
  readonly several?: boolean;
}

/** Live on a terminal, lines elsewhere (both on standard error), events on standard output with `json`. */
export async function progressFor(
  machine: string,
  { json, several = false }: ProgressOptions = {},
): Promise<Progress> {
  if (json) return new EventProgress(machine, (line) => process.stdout.write(`${line}\n`));
  if (process.stderr.isTTY && !several && process.env.TERM !== 'dumb') {
    const { LiveProgress } = await import('./live.ts');
    return new LiveProgress(process.stderr);
  }
  const prefix = several ? `(${machine}) ` : '';
  return new LineProgress((line) => process.stderr.write(`${prefix}${line}\n`));
}
