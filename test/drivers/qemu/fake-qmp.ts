import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface QmpCommand {
  readonly execute: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
  readonly id: number;
}

/** A QMP server as a test wants it: `answer` gets each command and writes what it likes. */
export class FakeQmp implements AsyncDisposable {
  readonly path: string;
  readonly commands: QmpCommand[] = [];
  readonly #directory: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(directory: string, server: Server) {
    this.#directory = directory;
    this.path = join(directory, 'qmp.sock');
    this.#server = server;
  }

  static async open({
    greeting = '{"QMP": {"version": {}, "capabilities": ["oob"]}}',
    answer = (command, send) => send({ return: {}, id: command.id }),
  }: {
    greeting?: string;
    answer?: (command: QmpCommand, send: (message: object) => void, socket: Socket) => void;
  } = {}): Promise<FakeQmp> {
    const server = createServer();
    const fake = new FakeQmp(await mkdtemp(join(tmpdir(), 'qmp-')), server);
    server.on('connection', (socket) => {
      fake.#sockets.add(socket);
      socket.on('error', () => {});
      if (greeting !== '') socket.write(`${greeting}\r\n`);
      createInterface({ input: socket }).on('line', (line) => {
        const command = JSON.parse(line) as QmpCommand;
        fake.commands.push(command);
        answer(command, (message) => socket.write(`${JSON.stringify(message)}\r\n`), socket);
      });
    });
    await new Promise<void>((resolve) => server.listen(fake.path, resolve));
    return fake;
  }

  /** Sends to every client. */
  send(message: object): void {
    for (const socket of this.#sockets) socket.write(`${JSON.stringify(message)}\r\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#directory, { recursive: true, force: true });
  }
}
