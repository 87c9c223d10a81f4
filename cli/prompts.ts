import { InvalidArgument } from '../drivers/errors.ts';
import { Interrupted } from './interruption.ts';

/** Asks on the terminal; the answer to nothing but Enter is no. Throws InvalidArgument when nobody can be asked. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new InvalidArgument('there is no terminal to ask on; say yes with -y');
  const { default: inquirer } = await import('inquirer');
  const prompt = inquirer.createPromptModule({ output: process.stderr });
  try {
    const { yes } = await prompt<{ yes: boolean }>([
      { type: 'confirm', name: 'yes', message: question, default: false },
    ]);
    return yes;
  } catch (error) {
    // What inquirer makes of Ctrl-C and of an input that ends.
    throw error instanceof Error && error.name === 'ExitPromptError' ? new Interrupted('SIGINT') : error;
  }
}
