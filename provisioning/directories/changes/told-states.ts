import type { Stats } from 'node:fs';

/** A batch has some hundreds, and a machine is told one after another: by far more than come back at once. Some 2 MB. */
const maxPaths = 8192;
/** While what was told is forgotten for want of room, only what was written in this time is news. */
const freshMs = 10_000;
const forgottenForMs = 60_000;

type State = Pick<Stats, 'mtimeMs' | 'size' | 'mode' | 'ino' | 'uid' | 'gid'>;

/**
 * As what a machine was told of each path, so that it is told once. Telling changes nothing but the time of the last change of
 * attributes, on which nothing here depends: so what comes back from one's own telling is no news, and neither is what comes of
 * another machine's that has the same directory. Each tells of a state once, and all is quiet then.
 *
 * Bounded: what was told longest ago is forgotten first. Then a path that is not known may be news or an echo, and goes for an echo
 * unless it was written just now; so also that comes to an end.
 */
export class ToldStates {
  readonly #told = new Map<string, string>();
  readonly #max: number;
  readonly #now: () => number;
  #forgottenAt = Number.NEGATIVE_INFINITY;

  constructor({
    max = maxPaths,
    now = Date.now,
  }: { readonly max?: number; readonly now?: () => number } = {}) {
    this.#max = max;
    this.#now = now;
  }

  /** Whether this is to be told of `path`; it counts as told from now on. `isOther`: it is known to be no echo. */
  isNews(path: string, stats: State, isOther: boolean): boolean {
    const state = [stats.mtimeMs, stats.size, stats.mode, stats.ino, stats.uid, stats.gid].join();
    const before = this.#told.get(path);
    const isForgetful = this.#now() - this.#forgottenAt < forgottenForMs;
    // The newest are last.
    this.#told.delete(path);
    this.#told.set(path, state);
    if (this.#told.size > this.#max) this.#forgetOldest();
    if (isOther) return true;
    if (before !== undefined) return before !== state;
    return !isForgetful || Math.abs(this.#now() - stats.mtimeMs) < freshMs;
  }

  /** It is not there any more. */
  forget(path: string): void {
    this.#told.delete(path);
  }

  #forgetOldest(): void {
    const [oldest] = this.#told.keys();
    this.#told.delete(oldest!);
    this.#forgottenAt = this.#now();
  }
}
