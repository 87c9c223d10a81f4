import type { Call } from './command.ts';
import { EngineAnswer } from './errors.ts';
import { print } from './terminal.ts';

/**
 * Does the same to every named one and prints the names that it worked for; an error of one does not stop
 * the others, and makes the exit code 1.
 */
export async function forEach(call: Call, work: (name: string) => Promise<unknown>): Promise<number> {
  let exitCode = 0;
  for (const name of call.flags.words) {
    try {
      await work(encodeURIComponent(name));
      await print(call.streams.stdout, `${name}\n`);
    } catch (error) {
      if (!(error instanceof EngineAnswer)) throw error;
      await print(call.streams.stderr, `${error.message}\n`);
      exitCode = 1;
    }
  }
  return exitCode;
}
