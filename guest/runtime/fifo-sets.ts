import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../host/exec.ts';

/** What every run directory has in `io` (monitor.ts). */
const names = ['stdin', 'stdout', 'stderr', 'eof', 'alive', 'pid', 'stdout.drain', 'stderr.drain'];
const batch = 8;

/** The FIFOs of coming runs, made ahead by one process for many: Node cannot make any. */
export class FifoSets {
  readonly #directory: string;
  #making: Promise<void> | null = null;
  #made = 0;

  constructor(directory: string) {
    this.#directory = directory;
    rmSync(directory, { recursive: true, force: true });
  }

  /** Makes `target` a directory with a set of its own. */
  async take(target: string): Promise<void> {
    for (;;) {
      const next = this.#making ? undefined : this.#ready()[0];
      if (next !== undefined) return renameSync(join(this.#directory, next), target);
      this.#making ??= this.#make().finally(() => {
        this.#making = null;
      });
      await this.#making;
    }
  }

  #ready(): string[] {
    return existsSync(this.#directory) ? readdirSync(this.#directory) : [];
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
  }
}
