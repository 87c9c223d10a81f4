import { Conflict, InvalidParameter } from '../errors.ts';
import { namePattern, randomName } from './names.ts';

/** Who has which name: those in use, and those of containers that are being made. */
export class ContainerNames {
  readonly #ids = new Map<string, string>();

  idOf(name: string): string | undefined {
    return this.#ids.get(name);
  }

  /** For a container that is recorded already. */
  set(name: string, id: string): void {
    this.#ids.set(name, id);
  }

  /** Gives the name that is wished for, or any. Throws InvalidParameter, or Conflict when somebody has it. */
  take(wished: string | undefined, id: string): string {
    const name = wished ? this.#check(wished) : this.#unused();
    this.#ids.set(name, id);
    return name;
  }

  /** Idempotent. */
  release(name: string): void {
    this.#ids.delete(name);
  }

  #check(wished: string): string {
    if (!namePattern.test(wished))
      throw new InvalidParameter(
        `Invalid container name (${wished}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      );
    const name = wished.replace(/^\//, '');
    const owner = this.#ids.get(name);
    if (owner !== undefined)
      throw new Conflict(
        `Conflict. The container name "/${name}" is already in use by container "${owner}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    return name;
  }

  #unused(): string {
    for (let attempt = 0; ; attempt++) {
      const name = randomName(attempt);
      if (!this.#ids.has(name)) return name;
    }
  }
}
