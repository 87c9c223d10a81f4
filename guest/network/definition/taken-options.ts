import { InvalidParameter } from '../../errors.ts';

/** Driver options, each read once by who knows it: what nobody knows is refused. */
export class TakenOptions {
  readonly #left: Map<string, string>;

  constructor(options: Readonly<Record<string, string>>) {
    this.#left = new Map(Object.entries(options));
  }

  /** Null when it is not given. Throws InvalidParameter when it does not match. */
  text(name: string, pattern: RegExp): string | null {
    const value = this.#take(name);
    if (value !== null && !pattern.test(value)) throw wrong(name, value);
    return value;
  }

  word<T extends string>(name: string, words: readonly T[]): T | null {
    const value = this.#take(name);
    if (value === null) return null;
    const found = words.find((word) => word === value);
    if (found === undefined) {
      throw new InvalidParameter(
        `invalid value "${value}" of network option ${name}; expected ${words.join(', ')}`,
      );
    }
    return found;
  }

  /** As Go's strconv.ParseBool. */
  truth(name: string): boolean | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (/^(1|t|true)$/i.test(value)) return true;
    if (/^(0|f|false)$/i.test(value)) return false;
    throw wrong(name, value);
  }

  integer(name: string, { least, most }: { readonly least: number; readonly most: number }): number | null {
    const value = this.#take(name);
    if (value === null) return null;
    if (!/^\d{1,9}$/.test(value) || Number(value) < least || Number(value) > most) throw wrong(name, value);
    return Number(value);
  }

  /** Throws InvalidParameter when something was not taken that is Docker's; other people's names are theirs. */
  assertEmpty(): void {
    const name = [...this.#left.keys()].find((one) => one.startsWith('com.docker.network.'));
    if (name !== undefined) throw new InvalidParameter(`unknown network option "${name}"`);
  }

  #take(name: string): string | null {
    const value = this.#left.get(name) ?? null;
    this.#left.delete(name);
    return value;
  }
}

function wrong(name: string, value: string): InvalidParameter {
  return new InvalidParameter(`invalid value "${value}" of network option ${name}`);
}
