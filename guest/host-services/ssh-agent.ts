import { once } from 'node:events';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';

/** For the host to park a connection: after a start of the machine, or when many programs come at once. */
const parkDeadlineMs = 10_000;
/** For the host's agent to say which keys it has. */
const answerDeadlineMs = 5000;
/** One is enough for a host that parks the next when one is used. */
const maxParked = 8;
/** SSH_AGENTC_REQUEST_IDENTITIES (RFC draft-miller-ssh-agent, section 3.5): a length, and one byte. */
const listKeys = Buffer.from([0, 0, 0, 1, 11]);

/**
 * The user's ssh-agent, which is on the host in front of this machine (wire/ssh-agent.ts). Each program that connects
 * to the socket gets a connection of the host's to itself. One that none is there for in time is closed, as an agent that
 * went away would close it.
 */
export class HostSshAgent {
  readonly #parked = new Set<Duplex>();
  readonly #waiting = new Set<(stream: Duplex) => void>();
  readonly #deadlineMs: number;
  #server: Server | undefined;

  constructor({ deadlineMs = parkDeadlineMs }: { readonly deadlineMs?: number } = {}) {
    this.#deadlineMs = deadlineMs;
  }

  /** Takes a connection of the host's, to be used by the next program. */
  park(stream: Duplex): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      this.#waiting.delete(next);
      next(stream);
      return;
    }
    if (this.#parked.size >= maxParked) return void stream.destroy();
    this.#parked.add(stream);
    stream.once('end', () => {
      if (this.#parked.delete(stream)) stream.destroy();
    });
    stream.once('close', () => this.#parked.delete(stream));
    // Who does not read does not notice an end.
    stream.resume();
  }

  /**
   * Listens for programs of the machine and of containers that were given the socket: everybody who can reach it, so the
   * directory is root's alone.
   */
  async listen(path: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(path, { force: true });
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
      client.on('error', () => {});
      void this.#serve(client);
    });
    server.listen(path);
    await once(server, 'listening');
    await chmod(path, 0o666);
    this.#server = server;
  }

  /** Asks it for its keys. Resolves with false when nothing answers. */
  async answers(): Promise<boolean> {
    const stream = await this.#take();
    if (stream === null) return false;
    const deadline = setTimeout(() => stream.destroy(), answerDeadlineMs);
    try {
      return await new Promise<boolean>((resolve) => {
        stream.once('data', () => resolve(true));
        for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve(false));
        stream.resume();
        stream.write(listKeys);
      });
    } finally {
      clearTimeout(deadline);
      stream.destroy();
    }
  }

  close(): void {
    this.#server?.close();
    for (const stream of this.#parked) stream.destroy();
  }

  async #serve(client: Socket): Promise<void> {
    const host = await this.#take(client);
    if (host === null || client.destroyed) {
      client.destroy();
      host?.destroy();
      return;
    }
    passOn(client, host);
    passOn(host, client);
  }

  /** One that is parked, or will be before the deadline, unless `client` goes away meanwhile; else null. */
  async #take(client?: Socket): Promise<Duplex | null> {
    const [parked] = this.#parked;
    if (parked !== undefined) {
      this.#parked.delete(parked);
      parked.pause();
      return parked;
    }
    return await new Promise((resolve) => {
      const settle = (stream: Duplex | null) => {
        clearTimeout(timer);
        client?.off('close', giveUp);
        this.#waiting.delete(settle);
        resolve(stream);
      };
      const giveUp = () => settle(null);
      const timer = setTimeout(giveUp, this.#deadlineMs);
      client?.once('close', giveUp);
      this.#waiting.add(settle);
    });
  }
}

/** Bytes and their end; a side that breaks breaks the other. */
function passOn(from: Duplex, to: Duplex): void {
  from.on('error', () => {});
  from.pipe(to);
  from.once('close', () => {
    if (!to.writableEnded) to.destroy();
  });
}
