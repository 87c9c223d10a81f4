import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type ProcessIdentity, parseStat } from './process-identity.ts';

/** Reads what a monitor tells through its run directory (monitor.ts), and waits for it by inotify. */
export class RunDirectory {
  readonly path: string;
  #watcher: FSWatcher | null = null;
  readonly #waiting = new Set<() => void>();
  readonly #readers = new Map<string, () => void>();

  constructor(path: string) {
    this.path = path;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** FIFOs, and what is not watched. */
  get io(): string {
    return this.file('io');
  }

  text(name: string): string {
    try {
      return readFileSync(this.file(name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
      throw error;
    }
  }

  /** The container's first process, once crun has said so. */
  get pid(): number | null {
    return Number.parseInt(this.text('pid'), 10) || null;
  }

  get monitor(): ProcessIdentity | null {
    return parseStat(this.text('monitor'));
  }

  /** Null while the container runs. */
  get exit(): { readonly exitCode: number; readonly at: Date } | null {
    const text = this.text('exit');
    if (!text.endsWith('\n')) return null;
    return { exitCode: Number.parseInt(text, 10), at: statSync(this.file('exit')).mtime };
  }

  /** Resolves with the first value that is not null, looking again after each change in the directory. */
  until<T>(look: () => T | null): Promise<T> {
    // Watch first, then look: nothing can happen in between.
    this.#watch();
    return new Promise((resolve, reject) => {
      const again = () => {
        try {
          const value = look();
          if (value === null) return;
          this.#waiting.delete(again);
          resolve(value);
        } catch (error) {
          this.#waiting.delete(again);
          reject(error);
        }
      };
      this.#waiting.add(again);
      again();
    });
  }

  /** Calls `listener` after each change of a file `<stream>.N`. One a stream. */
  onSegment(stream: string, listener: () => void): void {
    this.#watch();
    this.#readers.set(stream, listener);
  }

  /** Makes everybody look again, for changes that no file tells. */
  wake(): void {
    for (const again of [...this.#waiting]) again();
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#readers.clear();
  }

  /** What a container writes is many changes a second: they concern its reader alone. */
  #watch(): void {
    this.#watcher ??= watch(this.path, (_, name) => {
      const reader = this.#readers.get(name?.split('.', 1)[0] ?? '');
      if (reader) reader();
      else this.wake();
    });
  }
}
