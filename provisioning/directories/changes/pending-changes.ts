import { lstat } from 'node:fs/promises';
import type { HostChanges } from '../../../guest/wire/index.ts';
import type { Arrived, Departed } from './notices.ts';

/**
 * Of a burst, such as another branch of a large repository, the rest is told by its directories: an emulated machine takes
 * 20 ms for each, and what is changed next waits for them.
 */
const maxPaths = 512;
/** That is 80 ms for each in an emulated machine. */
const maxByName = 64;
/** What has been where it is for longer is not new: it came with what it is in. */
const newMs = 5000;

/** What was heard of a path. */
export interface Heard {
  /** It may be new, or gone. */
  readonly renamed: boolean;
  /** Null where that is not known. */
  readonly wasDirectory: boolean | null;
}

export interface Pending {
  readonly paths: readonly (readonly [path: string, heard: Heard])[];
  /** Directories of those that were too many. */
  readonly collapsed: readonly string[];
  /** How many those were. */
  readonly collapsedCount: number;
}

/** What has changed and is still to be told: each path once, in a bounded number. */
export class PendingChanges {
  readonly #paths = new Map<string, Heard>();
  readonly #directories = new Set<string>();
  readonly #limits: { readonly max?: number };
  #collapsed = 0;

  /** `limits`: looked at anew for each path. */
  constructor(limits: { readonly max?: number } = {}) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#paths.size === 0 && this.#directories.size === 0;
  }

  add(path: string, { renamed, wasDirectory }: Heard): void {
    const before = this.#paths.get(path);
    if (before !== undefined || this.#paths.size < (this.#limits.max ?? maxPaths))
      this.#paths.set(path, {
        renamed: renamed || (before?.renamed ?? false),
        wasDirectory: before?.wasDirectory ?? wasDirectory,
      });
    else {
      this.#collapsed += 1;
      // No more than there are watches.
      this.#directories.add(parentOf(path));
    }
  }

  /** All of it, as it was heard; nothing is pending then. */
  takeHeard(): Pending {
    const pending = {
      paths: [...this.#paths],
      collapsed: [...this.#directories].filter((path) => path !== ''),
      collapsedCount: this.#collapsed,
    };
    this.#paths.clear();
    this.#directories.clear();
    this.#collapsed = 0;
    return pending;
  }

  /** All of it, as it is now on this computer; nothing is pending then. `collapsed`: how many were told by their directory. */
  async take(hostPath: (path: string) => Buffer | null): Promise<
    Omit<HostChanges, 'serial' | 'departed' | 'arrived'> & {
      readonly departed: readonly Departed[];
      readonly arrived: readonly Arrived[];
      readonly collapsed: number;
    }
  > {
    const pending = this.takeHeard();
    const { paths } = pending;
    const directories = new Set(pending.collapsed);
    let collapsed = pending.collapsedCount;
    const gone: string[] = [];
    const departed: Departed[] = [];
    const arrived: Arrived[] = [];
    const files: string[] = [];
    const statsAt = async (path: string) => {
      const host = hostPath(path);
      return host === null ? null : await lstat(host).catch(() => null);
    };
    for (const [path, { renamed, wasDirectory }] of paths) {
      const stats = await statsAt(path);
      if (stats === null) {
        gone.push(path);
        // What went with its directory is not told by itself.
        const isDeparted = renamed && (await statsAt(parentOf(path)))?.isDirectory();
        if (isDeparted && departed.length < maxByName)
          departed.push({ path, wasDirectory: wasDirectory ?? false });
        else if (isDeparted) collapsed += 1;
      }
      if (stats?.isDirectory() && renamed && wasDirectory === false && Date.now() - stats.ctimeMs < newMs)
        if (arrived.length < maxByName) arrived.push({ path, attributes: stats, sinceMs: stats.ctimeMs });
        else collapsed += 1;
      if (stats === null || renamed) directories.add(parentOf(path));
      if (stats?.isDirectory()) directories.add(path);
      else if (stats) files.push(path);
    }
    return {
      gone,
      departed,
      arrived,
      directories: [...directories].filter((path) => path !== ''),
      files,
      collapsed,
    };
  }
}

/** Of a path of the SFTP server; empty for that of a share. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
