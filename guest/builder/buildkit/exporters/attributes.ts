import { codes, GrpcError } from '../grpc/status.ts';

/**
 * What an output was asked for with (`--output type=oci,dest=x,compression=zstd`): an exporter takes what it honours,
 * and {@link Attributes.end} refuses the rest by name.
 */
export class Attributes {
  readonly type: string;
  readonly #rest: Map<string, string>;

  constructor(type: string, attrs: ReadonlyMap<string, string>) {
    this.type = type;
    this.#rest = new Map(attrs);
  }

  take(name: string): string | undefined {
    const value = this.#rest.get(name);
    this.#rest.delete(name);
    return value;
  }

  /** Without a value it is on. Throws GrpcError for what is neither on nor off. */
  flag(name: string, otherwise: boolean): boolean {
    return this.optionalFlag(name) ?? otherwise;
  }

  /** Undefined when nothing is said of it. */
  optionalFlag(name: string): boolean | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (/^(?:|1|t|true)$/i.test(value)) return true;
    if (/^(?:0|f|false)$/i.test(value)) return false;
    throw new GrpcError(codes.invalidArgument, `--output type=${this.type}: ${name} is true or false`);
  }

  /** Those whose names begin so, by the rest of their names. */
  takeAll(prefix: string): Map<string, string> {
    const names = [...this.#rest.keys()].filter((name) => name.startsWith(prefix));
    return new Map(names.map((name) => [name.slice(prefix.length), this.take(name)!]));
  }

  /** Throws GrpcError for an attribute that would be ignored; one that is switched off asks for nothing. */
  end(): void {
    for (const [name, value] of this.#rest) {
      // The time of the build itself is in the image, whatever this says of it.
      if (name === 'source-date-epoch' && value === '') continue;
      if (value !== 'false') this.refuse(name, value);
    }
  }

  refuse(name: string, value: string): never {
    throw new GrpcError(
      codes.unknown,
      `this engine does not support --output type=${this.type},${name}=${value}; leave ${name} out`,
    );
  }
}
