import { once } from 'node:events';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';

/** An attached connection as a raw client has it: bytes in, bytes out, no docker CLI between. */
export class Hijacked {
  readonly #connection: Duplex;
  #shown = '';
  /** Resolves with all that came when the engine has ended its side. */
  readonly ended: Promise<string>;

  private constructor(connection: Duplex, first: Buffer) {
    this.#connection = connection;
    this.#shown = first.toString();
    connection.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text;
    });
    this.ended = once(connection, 'end').then(() => this.#shown);
  }

  /** Throws when the engine does not upgrade. */
  static open(socketPath: string, path: string, body?: object): Promise<Hijacked> {
    const headers = { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Type': 'application/json' };
    const asked = request({ socketPath, path, method: 'POST', headers });
    asked.end(body && JSON.stringify(body));
    return new Promise((resolve, reject) => {
      asked.once('error', reject);
      asked.once('response', ({ statusCode }) => reject(new Error(`not upgraded: ${statusCode}`)));
      asked.once('upgrade', (_, connection, first) => resolve(new Hijacked(connection, first)));
    });
  }

  /** Resolves when the text has come; throws with what has, when the engine ends its side without it. */
  async shows(text: string): Promise<void> {
    while (!this.#shown.includes(text)) {
      const over = await Promise.race([
        once(this.#connection, 'data').then(() => false),
        this.ended.then(() => true),
      ]);
      if (over && !this.#shown.includes(text))
        throw new Error(`the connection ended without ${JSON.stringify(text)}: ${this.#shown}`);
    }
  }

  type(text: string): void {
    this.#connection.write(text);
  }

  close(): void {
    this.#connection.destroy();
  }
}
