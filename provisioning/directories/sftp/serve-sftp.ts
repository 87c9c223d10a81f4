import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { Notices } from '../changes/notices.ts';
import { statusAnswer, versionAnswer } from './answers.ts';
import { statusOf } from './errors.ts';
import { Handles } from './handles.ts';
import { Fields, Packet, PacketCutter } from './packets.ts';
import { request } from './protocol.ts';
import { RequestOrder } from './request-order.ts';
import { planRequest, type Served } from './requests.ts';
import type { SharedTree } from './shared-tree.ts';

/** Requests that are worked on at once; with 256 KiB each, what a client can make this process hold. */
const maxPending = 64;

/**
 * Serves directories to one SFTP client until the stream ends: `/KEY/…` is what the tree of that key has. A
 * client may begin anew on the same stream (INIT); what was open is closed then. `onChange` is told the path of each
 * thing that the client changes, before and after; `notices` is what the client is being told. Throws ProtocolError for one
 * that does not speak the protocol. At the end the stream is destroyed, however it came.
 */
export async function serveSftp(
  stream: Duplex,
  trees: ReadonlyMap<string, SharedTree>,
  { onChange = () => {}, notices = new Notices() }: Partial<Pick<Served, 'onChange' | 'notices'>> = {},
): Promise<void> {
  const session = new Session(stream, { trees, handles: new Handles(), onChange, notices });
  const cutter = new PacketCutter();
  // A stream that breaks is one that ends: `for await` tells of it.
  stream.on('error', () => {});
  try {
    for await (const chunk of stream) {
      for (const packet of cutter.push(chunk as Buffer)) await session.take(packet);
    }
  } finally {
    stream.destroy();
    await session.end();
  }
}

class Session {
  readonly #stream: Duplex;
  readonly #served: Served;
  readonly #order = new RequestOrder();
  #pending = 0;
  #onAnswer = () => {};

  constructor(stream: Duplex, served: Served) {
    this.#stream = stream;
    this.#served = served;
  }

  /** Returns when another packet may come: not while too many are worked on, or answers are not taken. */
  async take(packet: Buffer): Promise<void> {
    const fields = new Fields(packet);
    const type = fields.byte();
    if (type === request.init) {
      await this.end();
      this.#send(versionAnswer());
      return;
    }
    const id = fields.uint32();
    const { changes, run } = planRequest(type, id, fields, this.#served);
    const answered = async () => {
      try {
        this.#send(await run());
      } catch (error) {
        this.#send(statusAnswer(id, statusOf(error)));
      }
      this.#pending -= 1;
      this.#onAnswer();
    };
    this.#pending += 1;
    void (changes ? this.#order.change(answered) : this.#order.look(answered));
    while (this.#pending >= maxPending) await this.#answer();
    if (this.#stream.writableNeedDrain) await drained(this.#stream);
  }

  /** Closes what is open when nothing is worked on any more. */
  async end(): Promise<void> {
    while (this.#pending > 0) await this.#answer();
    await this.#served.handles.closeAll();
  }

  #answer(): Promise<void> {
    return new Promise((resolve) => {
      this.#onAnswer = resolve;
    });
  }

  #send(answer: Packet | Buffer): void {
    if (this.#stream.writable) this.#stream.write(answer instanceof Packet ? answer.finish() : answer);
  }
}

/** Also when it is closed. */
async function drained(stream: Duplex): Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const outcomes = ['drain', 'close'].map((event) => once(stream, event, { signal }));
  await Promise.race(outcomes).catch(() => {});
  ending.abort();
  await Promise.allSettled(outcomes);
}
