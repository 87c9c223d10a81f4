import { MachineError, PreCreateError } from '../drivers/errors.ts';

/**
 * The one form in which errors reach people: what was wrong, then the causes that say something new, one a
 * line. Errors that are no MachineError were not foreseen, so they come with where they arose; so does
 * everything with `debug`.
 */
export function errorText(error: unknown, { debug }: { readonly debug: boolean }): string {
  const prefix = error instanceof PreCreateError ? 'Error with pre-create check: ' : 'Error: ';
  const messages: string[] = [];
  for (let e: unknown = error; e !== undefined && e !== null; e = e instanceof Error ? e.cause : undefined) {
    const message = e instanceof Error ? e.message || e.name : String(e);
    if (!messages.some((known) => known.includes(message))) messages.push(message);
  }
  const text = [prefix + messages[0], ...messages.slice(1).map((m) => `  because: ${m}`)].join('\n');
  const expected = error instanceof MachineError || isSystemError(error);
  return !debug && expected ? text : `${text}\n${error instanceof Error ? error.stack : ''}`.trimEnd();
}

/** `ENOSPC: no space left on device, write` says enough by itself. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
