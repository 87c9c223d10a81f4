import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../digest.ts';
import { run, tryRun } from '../../host/exec.ts';
import type { Mount, Snapshotter } from '../../layers/snapshotter.ts';

/**
 * Files of stages and images, mounted in the engine's mount namespace, which monitors inherit, for as long as a build
 * needs them.
 */
export class ShownTrees implements AsyncDisposable {
  readonly #snapshots: Pick<Snapshotter, 'view'>;
  readonly #directory: string;
  readonly #shown = new Map<Digest | null, Promise<string>>();
  readonly #mounts: string[] = [];
  #count = 0;

  /** @param directory to be made and removed */
  constructor(snapshots: Pick<Snapshotter, 'view'>, directory: string) {
    this.#snapshots = snapshots;
    this.#directory = directory;
  }

  /** The directory that shows a chain, read-only. */
  chain(chainId: Digest | null): Promise<string> {
    const before = this.#shown.get(chainId);
    if (before) return before;
    const shown = chainId === null ? this.#place() : this.mount(this.#snapshots.view(chainId));
    this.#shown.set(chainId, Promise.resolve(shown));
    return Promise.resolve(shown);
  }

  async mount({ type, source, options, cwd = '/' }: Mount): Promise<string> {
    const place = this.#place();
    await run('busybox', ['mount', '-i', '-t', type, '-o', options.join(','), source, place], { cwd });
    this.#mounts.push(place);
    return place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#count === 0) return;
    await Promise.allSettled(this.#shown.values());
    if (this.#mounts.length > 0) await tryRun('umount', ['-l', ...this.#mounts]);
    removeEmpty(this.#directory);
  }

  #place(): string {
    const place = join(this.#directory, `${++this.#count}`);
    mkdirSync(place, { recursive: true, mode: 0o700 });
    return place;
  }
}

/** Deletes nothing: what is still mounted is not empty. */
export function removeEmpty(directory: string): void {
  try {
    for (const name of readdirSync(directory)) rmdirSync(join(directory, name));
    rmdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
