import { type Digest, digestOf } from '../../digest.ts';
import { messageOf } from '../../error-message.ts';
import type { BuildEvent } from '../build.ts';

/** Displays are drawn about as often. */
const tellEveryMs = 100;

/** What counts in a vertex: a transfer, an extraction. */
export interface VertexPart {
  /** @param total when it is known */
  to(current: number, total?: number): void;
  /** Idempotent. */
  end(): void;
}

/** A part of a build that people see: announced when it is made, then started and completed once. */
export class Vertex {
  readonly digest: Digest;
  readonly name: string;
  readonly #inputs: readonly Digest[];
  readonly #emit: (event: BuildEvent) => void;
  #startedAt: Date | undefined;

  constructor(
    emit: (event: BuildEvent) => void,
    options: { readonly name: string; readonly identity: unknown; readonly inputs: readonly Vertex[] },
  ) {
    this.#emit = emit;
    this.name = options.name;
    this.#inputs = options.inputs.map(({ digest }) => digest);
    this.digest = digestOf(JSON.stringify([options.identity, this.#inputs]));
    this.#tell({});
  }

  start(): void {
    if (this.#startedAt) return;
    this.#startedAt = new Date();
    this.#tell({});
  }

  log(stream: 1 | 2, data: Buffer): void {
    this.#emit({ kind: 'log', vertex: this.digest, stream, data, at: new Date() });
  }

  /** A part of it that counts bytes. Says nothing when none ever come. */
  transfer(id: string): VertexPart {
    const part = this.part(id);
    let some = false;
    return {
      to(bytes) {
        some ||= bytes > 0;
        part.to(bytes);
      },
      end: () => some && part.end(),
    };
  }

  /** A part of it, told of not too often. */
  part(id: string): VertexPart {
    const startedAt = new Date();
    let now = { current: 0, total: 0 };
    let toldAt = 0;
    let ended = false;
    const tell = (completedAt?: Date) =>
      this.#emit({
        ...{ kind: 'status', vertex: this.digest, id, ...now, startedAt },
        ...(completedAt && { completedAt }),
      });
    return {
      to(current, total = 0) {
        now = { current, total };
        if (ended || Date.now() - toldAt < tellEveryMs) return;
        toldAt = Date.now();
        tell();
      },
      end() {
        if (ended) return;
        ended = true;
        if (now.total > 0) now = { ...now, current: now.total };
        tell(new Date());
      },
    };
  }

  complete({ cached = false }: { readonly cached?: boolean } = {}): void {
    this.start();
    this.#tell({ completedAt: new Date(), cached });
  }

  /** Runs work as this vertex; `cached` is what it says. */
  async run<T>(work: () => Promise<{ readonly cached: boolean; readonly value: T }>): Promise<T> {
    this.start();
    try {
      const { cached, value } = await work();
      this.#tell({ completedAt: new Date(), cached });
      return value;
    } catch (error) {
      this.#tell({ completedAt: new Date(), error: messageOf(error) });
      throw error;
    }
  }

  #tell(more: { readonly completedAt?: Date; readonly cached?: boolean; readonly error?: string }): void {
    this.#emit({
      kind: 'vertex',
      digest: this.digest,
      inputs: this.#inputs,
      name: this.name,
      cached: false,
      ...(this.#startedAt && { startedAt: this.#startedAt }),
      ...more,
    });
  }
}
