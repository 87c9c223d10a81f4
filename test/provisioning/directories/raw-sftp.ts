import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { serveSftp } from '../../../provisioning/directories/sftp/serve-sftp.ts';
import { SharedTree } from '../../../provisioning/directories/sftp/shared-tree.ts';

/** Fields of a request: a byte, a number of 32 bits, a number of 64 bits, bytes with their length. */
export type Field = { byte: number } | { u32: number } | { u64: number } | { bytes: Buffer | string };

export const u32 = (value: number): Field => ({ u32: value });
export const u64 = (value: number): Field => ({ u64: value });
export const text = (value: Buffer | string): Field => ({ bytes: value });

export interface Answer {
  readonly type: number;
  readonly id: number;
  /** What comes after the id. */
  readonly rest: Buffer;
}

/** A client that sends whatever it is told to, well-formed or not, to a server of its own. */
export class RawSftp implements AsyncDisposable {
  readonly socket: Socket;
  /** Rejects when the server gave up. */
  readonly served: Promise<void>;
  #id = 0;
  #unread = Buffer.alloc(0);
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #close: () => void;

  private constructor(socket: Socket, served: Promise<void>, close: () => void) {
    this.socket = socket;
    this.served = served;
    this.#close = close;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => {});
  }

  /** Trees by key, `path` or `path:ro`. */
  static async open(
    directory: string,
    shared: Readonly<Record<string, string>>,
    options: Parameters<typeof serveSftp>[2] = {},
  ): Promise<RawSftp> {
    const trees = new Map(
      Object.entries(shared).map(([key, path]) => [
        key,
        new SharedTree(path.replace(/:ro$/, ''), { readonly: path.endsWith(':ro') }),
      ]),
    );
    const server = createServer();
    server.listen(join(directory, 's'));
    await once(server, 'listening');
    const socket = connect(join(directory, 's'));
    const [accepted] = (await once(server, 'connection')) as [Socket];
    server.close();
    const served = serveSftp(accepted, trees, options);
    served.catch(() => {});
    const client = new RawSftp(socket, served, () => {
      for (const tree of trees.values()) tree.close();
    });
    await client.begin();
    return client;
  }

  async begin(): Promise<Answer> {
    const answer = this.#answerTo(3);
    this.socket.write(frame(Buffer.from([1, 0, 0, 0, 3])));
    return await answer;
  }

  request(type: number, ...fields: Field[]): Promise<Answer> {
    this.#id += 1;
    const answer = this.#answerTo(this.#id);
    this.socket.write(
      frame(Buffer.concat([Buffer.from([type]), encode(u32(this.#id)), ...fields.map(encode)])),
    );
    return answer;
  }

  /** The status code of a request. */
  async status(type: number, ...fields: Field[]): Promise<number> {
    const answer = await this.request(type, ...fields);
    return answer.type === 101 ? answer.rest.readUInt32BE(0) : -answer.type;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.served.catch(() => {});
    this.#close();
  }

  #answerTo(id: number): Promise<Answer> {
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
    });
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    while (this.#unread.length >= 4) {
      const length = this.#unread.readUInt32BE(0);
      if (this.#unread.length < 4 + length) return;
      const packet = this.#unread.subarray(4, 4 + length);
      this.#unread = this.#unread.subarray(4 + length);
      const id = packet.readUInt32BE(1);
      this.#waiting.get(id)?.({ type: packet[0]!, id, rest: packet.subarray(5) });
      this.#waiting.delete(id);
    }
  }
}

export function frame(packet: Buffer): Buffer {
  return Buffer.concat([encode(u32(packet.length)), packet]);
}

function encode(field: Field): Buffer {
  if ('byte' in field) return Buffer.from([field.byte]);
  if ('u32' in field) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(field.u32);
    return bytes;
  }
  if ('u64' in field) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(field.u64));
    return bytes;
  }
  const bytes = Buffer.from(field.bytes as string);
  return Buffer.concat([encode(u32(bytes.length)), bytes]);
}
