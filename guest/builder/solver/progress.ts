import { messageOf } from '../../api/reply.ts';
import { type Digest, digestOf } from '../../digest.ts';
import type { BuildEvent } from '../build.ts';

/** Displays are drawn about as often. */
const tellEveryMs = 100;

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
  transfer(id: string): { readonly to: (bytes: number) => void; end(): void } {
    const startedAt = new Date();
    let current = 0;
    const tell = (completedAt?: Date) =>
      this.#emit({
        ...{ kind: 'status', vertex: this.digest, id, current, total: 0, startedAt },
        ...(completedAt && { completedAt }),
      });
    let told = 0;
    return {
      to: (bytes) => {
        current = bytes;
        const now = Date.now();
        if (now - told < tellEveryMs) return;
        told = now;
        tell();
      },
      end: () => {
        if (current > 0) tell(new Date());
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
