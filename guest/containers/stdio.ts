import type { Duplex, Readable, Writable } from 'node:stream';
import { frame } from '../frames.ts';
import type { RunningTask } from '../runtime/runtime.ts';
import { DetachFilter } from './detach-keys.ts';

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** The process has a terminal: detach keys are heard. */
  readonly terminal: boolean;
  /** Bytes as they are, instead of frames that tell stdout from stderr. */
  readonly raw: boolean;
  /** The client's end of input is the process's. */
  readonly closeStdin: boolean;
  readonly detachKeys: Buffer;
  readonly onDetach: () => void;
}

interface Client {
  readonly connection: Duplex;
  readonly options: AttachOptions;
  /** Output that came while the past is sent; null when that is done. */
  held: Buffer[] | null;
  readonly pastSent: Promise<void>;
}

/** Of pieces held back; then reading pauses. */
const maxHeld = 64;

type OutputName = 'stdout' | 'stderr';

/**
 * The clients at a process's standard streams: any number of them, before it starts and while it runs. Each
 * piece of output goes to the log first, then to every client; when one does not keep up, reading pauses
 * until it does or leaves, so that memory stays bounded and nothing is lost.
 */
export class Stdio {
  readonly #clients = new Set<Client>();
  #stdin: Writable | null = null;
  #stdinWaiting: (() => void)[] = [];

  get clientCount(): number {
    return this.#clients.size;
  }

  /** `past` is sent first; what it holds is settled in this very call, and what comes from here on follows it. */
  attach(connection: Duplex, options: AttachOptions, past?: AsyncIterable<Buffer>): void {
    const pastSent = past ? sendAll(past, connection) : Promise.resolve();
    const client: Client = { connection, options, held: past ? [] : null, pastSent };
    if (past)
      void pastSent.then(() => {
        for (const data of client.held ?? []) connection.write(data);
        client.held = null;
      });
    this.#clients.add(client);
    connection.on('close', () => this.#clients.delete(client));
    if (options.stdin) void this.#forwardStdin(client);
    else connection.resume();
  }

  /**
   * Reads the task's output to its end, and gives its input to the clients. Their connections are to be ended
   * by {@link end} once the exit code can be asked for, which is what they do next.
   * `write` takes what is to be remembered.
   */
  async run(task: RunningTask, write: (name: OutputName, chunk: Buffer) => void): Promise<void> {
    this.#stdin = task.stdin;
    for (const ready of this.#stdinWaiting.splice(0)) ready();
    await Promise.all([
      this.#pump(task.stdout, 'stdout', write),
      ...(task.stderr ? [this.#pump(task.stderr, 'stderr', write)] : []),
    ]);
    this.#stdin = null;
  }

  /** The process is over, or none will come: lets every client go. */
  end(): void {
    for (const { connection, held, pastSent } of this.#clients)
      if (held) void pastSent.then(() => endConnection(connection));
      else endConnection(connection);
    this.#clients.clear();
  }

  #pump(source: Readable, name: OutputName, write: (name: OutputName, chunk: Buffer) => void): Promise<void> {
    return new Promise((resolve) => {
      source.on('data', (chunk: Buffer) => {
        write(name, chunk);
        const slow = this.#send(name, chunk);
        if (slow.length === 0) return;
        source.pause();
        void Promise.all(slow).then(() => source.resume());
      });
      // A process that was quick may have been read to its end before anybody listened.
      if (source.closed) resolve();
      source.once('close', resolve);
      // An error of a FIFO is its end; `close` follows.
      source.on('error', () => {});
    });
  }

  /** For each that asks to wait, the end of that. */
  #send(name: OutputName, chunk: Buffer): Promise<void>[] {
    const slow: Promise<void>[] = [];
    for (const client of this.#clients) {
      const { connection, options, held, pastSent } = client;
      if (!options[name] || !connection.writable) continue;
      const data = options.raw ? chunk : frame(name, chunk);
      if (held) {
        held.push(data);
        if (held.length >= maxHeld) slow.push(pastSent);
      } else if (!connection.write(data)) slow.push(untilDrained(connection));
    }
    return slow;
  }

  async #forwardStdin({ connection, options }: Client): Promise<void> {
    if (!this.#stdin) await new Promise<void>((resolve) => this.#stdinWaiting.push(resolve));
    const stdin = this.#stdin;
    if (!stdin) {
      connection.resume();
      return;
    }
    const source: Readable = options.terminal
      ? connection.pipe(
          new DetachFilter(options.detachKeys, () => {
            endConnection(connection);
            options.onDetach();
          }),
        )
      : connection;
    const end = () => {
      if (options.closeStdin) stdin.end();
    };
    // A socket that ends with nothing in it says so to nobody, long before there is a process.
    if (source.readableEnded) end();
    source.pipe(stdin, { end: false });
    source.once('end', end);
    // The process closed its stdin: what still comes is nobody's, but the client's leaving must be seen.
    stdin.once('close', () => {
      source.unpipe(stdin);
      source.resume();
    });
  }
}

/** Never rejects: a log that cannot be read is as long as what could. */
async function sendAll(source: AsyncIterable<Buffer>, connection: Duplex): Promise<void> {
  try {
    for await (const data of source)
      if (!connection.write(data) && connection.writable) await untilDrained(connection);
  } catch {
    // The client has gone, or the log is damaged.
  }
}

function untilDrained(connection: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      connection.off('drain', done);
      connection.off('close', done);
      resolve();
    };
    connection.on('drain', done);
    connection.on('close', done);
    if (connection.destroyed) done();
  });
}

/** Ours ends first; a client that never ends its side is not waited for. */
function endConnection(connection: Duplex): void {
  connection.end(() => {
    if (!connection.readableEnded) connection.resume();
  });
}
