import { MachineError } from '../drivers/errors.ts';

/** What went wrong, and what could not be undone after it. */
export class UndoFailed extends MachineError {
  readonly failures: readonly { readonly what: string; readonly error: unknown }[];

  constructor(cause: unknown, failures: UndoFailed['failures']) {
    const left = failures.map(({ what, error }) => `could not ${what}: ${messageOf(error)}`);
    super([messageOf(cause), ...left].join('\n'), { cause });
    this.failures = failures;
  }
}

/**
 * How to take back what was done so far, last thing first. Each undo is claimed once, whoever unwinds.
 *
 * ```ts
 * const undo = new UndoStack();
 * try { … undo.defer('remove the disk', () => …); …; undo.commit(); }
 * catch (error) { throw await undo.unwind(error); }
 * ```
 *
 * Also AsyncDisposable: what was not committed is undone at the end of the scope.
 */
export class UndoStack implements AsyncDisposable {
  readonly #undos: { what: string; run: () => Promise<void> }[] = [];

  /** `what` completes "could not …". */
  defer(what: string, run: () => Promise<void>): void {
    this.#undos.push({ what, run });
  }

  /** Everything is to stay. */
  commit(): void {
    this.#undos.length = 0;
  }

  /** Undoes and returns the error to throw: `cause` itself, or UndoFailed with it when something was left. Never throws. */
  async unwind(cause: unknown): Promise<unknown> {
    const failures: { what: string; error: unknown }[] = [];
    for (let undo = this.#undos.pop(); undo !== undefined; undo = this.#undos.pop()) {
      try {
        await undo.run();
      } catch (error) {
        failures.push({ what: undo.what, error });
      }
    }
    return failures.length === 0 ? cause : new UndoFailed(cause, failures);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = await this.unwind(new Error('the scope ended before its work was committed'));
    if (left instanceof UndoFailed) throw left;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
