import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { MachinePaths } from '../paths.ts';
import type { SupervisorLog } from './service.ts';

const maxBytes = 1024 ** 2;

/**
 * The supervisor's log file: a line an event, with its time and who says it. One that has become `limit` bytes
 * long is kept as the previous one, and a new one is begun. That it cannot be written ends nothing.
 */
export class LogFile {
  readonly #path: string;
  readonly #previous: string;
  readonly #limit: number;
  #bytes: number;

  constructor(
    { supervisorLog, previousSupervisorLog }: Pick<MachinePaths, 'supervisorLog' | 'previousSupervisorLog'>,
    limit = maxBytes,
  ) {
    this.#path = supervisorLog;
    this.#previous = previousSupervisorLog;
    this.#limit = limit;
    this.#bytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** The log as one of the services sees it. */
  of(name: string): SupervisorLog {
    return {
      info: (text) => this.#line(`${name}: ${text}`),
      error: (text, error) =>
        this.#line(`${name}: ${error === undefined ? text : `${text}: ${reasonOf(error)}`}`),
    };
  }

  #line(text: string): void {
    const line = `${new Date().toISOString()} ${text.replaceAll('\n', '\n  ')}\n`;
    try {
      if (this.#bytes > 0 && this.#bytes + Buffer.byteLength(line) > this.#limit) {
        renameSync(this.#path, this.#previous);
        this.#bytes = 0;
      }
      // A machine that is being removed has no directory any more, and none is made.
      appendFileSync(this.#path, line, { mode: 0o600 });
      this.#bytes += Buffer.byteLength(line);
    } catch {
      // A full disk is no reason to close what users work with.
    }
  }
}

/** An error and its causes, those that say something new. */
export function reasonOf(error: unknown): string {
  const messages: string[] = [];
  for (let e: unknown = error; e !== undefined && e !== null; e = e instanceof Error ? e.cause : undefined) {
    const message = e instanceof Error ? e.message || e.name : String(e);
    if (!messages.some((known) => known.includes(message))) messages.push(message);
  }
  return messages.join(', because ');
}
