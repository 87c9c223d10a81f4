import type { Duplex } from 'node:stream';
import { readMessages, withLength } from '../../dns/framing.ts';

/** The host gives up on a name after ten seconds, and says so. */
const answerDeadlineMs = 12_000;

interface Waiting {
  readonly settle: (answer: Buffer | null) => void;
}

/** Names as the host in front resolves them, while it is connected (wire/host-names.ts). */
export class HostStream {
  readonly #waiting = new Map<number, Waiting>();
  #connection: Duplex | null = null;
  #lastId = 0;
  /** Resolves when the first one is connected, or is expected no more. */
  readonly #expected: Promise<void>;
  #onFirst = () => {};

  /** @param expectedWithinMs how long the first one may take to come: after a start of the machine, or of the engine alone */
  constructor({ expectedWithinMs }: { readonly expectedWithinMs: number }) {
    this.#expected = new Promise((resolve) => {
      this.#onFirst = resolve;
      if (expectedWithinMs === 0) resolve();
      else setTimeout(resolve, expectedWithinMs).unref();
    });
  }

  /** Until the connection ends; a newer one takes its place. */
  serve(connection: Duplex): void {
    const older = this.#connection;
    this.#connection = connection;
    if (older !== null) this.#end(older);
    connection.on('error', () => {}).on('end', () => connection.destroy());
    connection.once('close', () => {
      if (this.#connection !== connection) return;
      this.#connection = null;
      this.#end(connection);
    });
    readMessages(connection, (answer) => {
      if (this.#connection !== connection || answer.length < 12) return;
      this.#waiting.get(answer.readUInt16BE(0))?.settle(answer);
    });
    this.#onFirst();
  }

  /** Null when no host is there, or when it has gone before it answered. Throws when it does not answer in time. */
  async ask(query: Buffer): Promise<Buffer | null> {
    if (this.#connection === null) await this.#expected;
    const connection = this.#connection;
    if (connection === null) return null;
    const id = this.#freeId();
    const asked = Buffer.from(query);
    asked.writeUInt16BE(id, 0);
    return await new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(id);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error('the host has not answered'));
      }, answerDeadlineMs).unref();
      const settle = (answer: Buffer | null) => {
        end();
        if (answer === null) return resolve(null);
        const own = Buffer.from(answer);
        own.writeUInt16BE(query.readUInt16BE(0), 0);
        resolve(own);
      };
      this.#waiting.set(id, { settle });
      connection.write(withLength(asked));
    });
  }

  close(): void {
    this.#connection?.destroy();
  }

  /** Who waits asks elsewhere. */
  #end(connection: Duplex): void {
    connection.destroy();
    for (const { settle } of [...this.#waiting.values()]) settle(null);
  }

  /** There are far more than questions under way. */
  #freeId(): number {
    do this.#lastId = (this.#lastId + 1) & 0xffff;
    while (this.#waiting.has(this.#lastId));
    return this.#lastId;
  }
}
