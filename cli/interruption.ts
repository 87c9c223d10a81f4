import { Cancelled } from '../drivers/errors.ts';
import { UndoFailed } from '../provisioning/undo.ts';

/** With their numbers, which are the same wherever there are signals. */
const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type Name = keyof typeof signals;
const names = Object.keys(signals) as Name[];

/** A signal ended the work, and what it had made was taken back, or `cause` says what was not. */
export class Interrupted extends Cancelled {
  readonly exitCode: number;

  constructor(name: Name, cause?: unknown) {
    super(cause instanceof UndoFailed ? cause.message : `interrupted by ${name}`, { cause });
    this.exitCode = 128 + signals[name];
  }
}

/**
 * Runs work that a signal interrupts: the first one aborts, the second says that undoing takes its time,
 * the third leaves things as they are. (`npx` and terminals may send
 * the same Ctrl-C twice.) One that comes when the work is done changes nothing: the process is about to end.
 */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  let received: Name | null = null;
  let count = 0;
  const onSignal = (name: Name) => {
    received ??= name;
    count += 1;
    if (count === 1) controller.abort(new Interrupted(name));
    if (count === 2) process.stderr.write('still undoing; once more leaves things as they are\n');
    if (count === 3) process.exit(128 + signals[name]);
  };
  for (const name of names) process.on(name, onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw received === null ? error : new Interrupted(received, error);
  }
}
