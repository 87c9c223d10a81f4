import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../host/exec.ts';

/** What every run directory has in `io` (monitor.ts). */
const names = ['stdin', 'stdout', 'stderr', 'eof', 'alive', 'pid', 'stdout.drain', 'stderr.drain'];
const batch = 8;

/** The FIFOs of coming runs, made ahead by one process for many: Node cannot make any. */
export class FifoSets {
  /** Names of directories that nobody has taken yet. */
  readonly #ready: string[] = [];
  readonly #directory: string;
  #making: Promise<void> | null = null;
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
    rmSync(directory, { recursive: true, force: true });
  }

  /** Makes `target` a directory with a set of its own. */
  async take(target: string): Promise<void> {
    while (this.#ready.length === 0) await this.#more();
    renameSync(this.#ready.pop()!, target);
    // For the next one, who then need not wait, and who meets the error if there is one.
    if (this.#ready.length === 0) this.#more().catch(() => {});
  }

  #more(): Promise<void> {
    this.#making ??= this.#make().finally(() => {
      this.#making = null;
    });
    return this.#making;
  }

  async #make(): Promise<void> {
    const sets = Array.from({ length: batch }, () => join(this.#directory, `${this.#made++}`));
    for (const set of sets) mkdirSync(set, { recursive: true, mode: 0o700 });
    await run('busybox', [
      'mkfifo',
      '-m',
      '600',
      ...sets.flatMap((set) => names.map((name) => join(set, name))),
    ]);
    this.#ready.push(...sets);
  }
}
