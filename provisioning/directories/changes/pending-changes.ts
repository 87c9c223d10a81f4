import { lstat } from 'node:fs/promises';
import type { HostChanges } from '../../../guest/wire/index.ts';

/**
 * Of a burst, such as another branch of a large repository, the rest is told by its directories: an emulated machine takes
 * 20 ms for each, and what is changed next waits for them.
 */
const maxPaths = 512;

/** What has changed and is still to be told: each path once, in a bounded number. */
export class PendingChanges {
  readonly #paths = new Map<string, boolean>();
  readonly #directories = new Set<string>();
  readonly #max: number;
  #collapsed = 0;

  constructor({ max = maxPaths }: { readonly max?: number } = {}) {
    this.#max = max;
  }

  get isEmpty(): boolean {
    return this.#paths.size === 0 && this.#directories.size === 0;
  }

  add(path: string, renamed: boolean): void {
    if (this.#paths.has(path) || this.#paths.size < this.#max)
      this.#paths.set(path, renamed || (this.#paths.get(path) ?? false));
    else {
      this.#collapsed += 1;
      // No more than there are watches.
      this.#directories.add(parentOf(path));
    }
  }

  /** All of it, as it is now on this computer; nothing is pending then. `collapsed`: how many were told by their directory. */
  async take(
    hostPath: (path: string) => Buffer | null,
  ): Promise<Omit<HostChanges, 'serial'> & { readonly collapsed: number }> {
    const paths = [...this.#paths];
    const directories = new Set(this.#directories);
    const collapsed = this.#collapsed;
    this.#paths.clear();
    this.#directories.clear();
    this.#collapsed = 0;
    const gone: string[] = [];
    const files: string[] = [];
    for (const [path, renamed] of paths) {
      const host = hostPath(path);
      const stats = host === null ? null : await lstat(host).catch(() => null);
      if (stats === null) gone.push(path);
      if (stats === null || renamed) directories.add(parentOf(path));
      if (stats?.isDirectory()) directories.add(path);
      else if (stats) files.push(path);
    }
    return { gone, directories: [...directories].filter((path) => path !== ''), files, collapsed };
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
