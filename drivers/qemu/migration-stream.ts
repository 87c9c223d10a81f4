import { mainMemory } from './args.ts';

/** What begins a section (QEMU's migration/savevm.c: QEMU_VM_SECTION_*). */
const section = { start: 1, part: 2, end: 3, footer: 0x7e } as const;
/** What follows in a section of memory (migration/ram.c: RAM_SAVE_FLAG_*), in the low bits of a page's address. */
const flag = { zero: 0x02, sizes: 0x04, page: 0x08, end: 0x10, continues: 0x20 } as const;
const pageBytes = 4096;
const batchBytes = 1024 ** 2;

/**
 * A migration stream without the pages of main memory that are all zeros: a QEMU that has just started has zeros
 * there anyway, and to be told so page by page makes it touch all of a machine's memory. What this does not know,
 * and all that comes after it, passes as it is: the stream then means the same and is only longer.
 *
 * The format is QEMU's own from one version to the next (docs/devel/migration), read here in migration/savevm.c
 * and ram.c: sections of memory (`ram`) are the only ones with parts; devices follow, each in one piece.
 */
export async function* withoutZeroPages(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const input = new Input(source);
  let batch: Buffer[] = [];
  let held = 0;
  const keep = (bytes: Buffer) => {
    batch.push(bytes);
    held += bytes.length;
  };
  try {
    keep(await upToMemory(input));
    let highest = -1;
    for (let inBlock = false; ; ) {
      const kind = await input.peek(1);
      if (![section.start, section.part, section.end].some((known) => known === kind[0])) break;
      keep(await input.read(5));
      if (kind[0] === section.start) {
        keep(await input.read((await input.peek(1))[0]! + 9));
      }
      for (;;) {
        const head = input.take(8) ?? (await input.read(8));
        const flags = head.readUInt32BE(4) & (pageBytes - 1);
        // In order the first time; a page that comes again may have been other than zeros before.
        const address = head.readUInt32BE() * 2 ** 32 + head.readUInt32BE(4) - flags;
        if (flags === (flag.zero | flag.continues) && inBlock && address > highest) {
          highest = address;
          input.take(1) ?? (await input.read(1));
          continue;
        }
        keep(head);
        if (flags === flag.end) break;
        if (flags === flag.sizes) {
          for (let left = head.readBigUInt64BE() & ~0xfffn; left > 0n; ) {
            const name = await input.read((await input.peek(1))[0]! + 1);
            const size = await input.read(8);
            keep(name);
            keep(size);
            left -= size.readBigUInt64BE();
          }
          continue;
        }
        if (![flag.zero, flag.page].some((known) => known === (flags & ~flag.continues))) throw new Unknown();
        if (!(flags & flag.continues)) {
          const name = await input.read((await input.peek(1))[0]! + 1);
          inBlock = name.toString('latin1', 1) === mainMemory;
          keep(name);
        }
        if (inBlock) highest = Math.max(highest, address);
        const size = flags & flag.page ? pageBytes : 1;
        keep(input.take(size) ?? (await input.read(size)));
        if (held < batchBytes) continue;
        yield Buffer.concat(batch);
        batch = [];
        held = 0;
      }
      if ((await input.peek(1))[0] === section.footer) keep(await input.read(5));
    }
  } catch (error) {
    if (!(error instanceof Unknown)) throw error;
  }
  yield Buffer.concat(batch);
  yield* input.rest();
}

/** The stream's head: which machine it is of, and what it uses. Its length is not told; the first section is looked for. */
async function upToMemory(input: Input): Promise<Buffer> {
  const head = await input.peek(4096);
  const name = head.indexOf('\x03ram', 0, 'latin1');
  if (name < 5 || head[name - 5] !== section.start) throw new Unknown();
  return input.read(name - 5);
}

/** Something that this file does not know. */
class Unknown extends Error {}

class Input {
  readonly #source: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Null when they are not all there yet: most are, and a promise for each page would take its time. */
  take(bytes: number): Buffer | null {
    if (this.#buffer.length - this.#at < bytes) return null;
    this.#at += bytes;
    return this.#buffer.subarray(this.#at - bytes, this.#at);
  }

  async read(bytes: number): Promise<Buffer> {
    await this.peek(bytes);
    return this.take(bytes)!;
  }

  /** Throws Unknown when the stream is shorter. */
  async peek(bytes: number): Promise<Buffer> {
    while (this.#buffer.length - this.#at < bytes) {
      const { done, value } = await this.#source.next();
      if (done) throw new Unknown();
      this.#buffer = Buffer.concat([this.#buffer.subarray(this.#at), value]);
      this.#at = 0;
    }
    return this.#buffer.subarray(this.#at, this.#at + bytes);
  }

  async *rest(): AsyncGenerator<Buffer> {
    yield this.#buffer.subarray(this.#at);
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done) return;
      yield value;
    }
  }
}
