/** A few megabytes at most; a machine that reads a large tree fills it within seconds. */
const maxPaths = 8192;

/**
 * Which directories a machine may know, by paths of the SFTP server, with a character for each byte: it was told that they
 * are there, or was given a list that they are in. Who remembers only so much says rather once too often that it does.
 */
export class SeenDirectories {
  readonly #at = new Map<string, number>();
  readonly #max: number;
  readonly #now: () => number;
  #forgottenAt = 0;

  constructor({
    max = maxPaths,
    now = Date.now,
  }: { readonly max?: number; readonly now?: () => number } = {}) {
    this.#max = max;
    this.#now = now;
  }

  /** The machine was told of it. */
  saw(path: Buffer): void {
    this.#remember(path.toString('latin1'));
  }

  /** The machine was told of what is in it. */
  listed(path: Buffer): void {
    this.#remember(`${path.toString('latin1')}/`);
  }

  /** Whether the machine may know the directory that is at `path` since then (milliseconds since 1970). */
  since(path: string, ms: number): boolean {
    const parent = path.slice(0, path.lastIndexOf('/') + 1);
    const last = Math.max(this.#at.get(path) ?? 0, this.#at.get(parent) ?? 0, this.#forgottenAt);
    return last >= ms;
  }

  #remember(key: string): void {
    // The newest are last.
    this.#at.delete(key);
    this.#at.set(key, this.#now());
    if (this.#at.size <= this.#max) return;
    const [[oldest, at]] = this.#at as unknown as [[string, number]];
    this.#at.delete(oldest);
    this.#forgottenAt = at;
  }
}
