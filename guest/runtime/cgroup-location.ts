import { readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where a container's control groups are, by the version of the host. */
export class CgroupLocation {
  readonly #parent: string;
  readonly #unified: boolean;
  readonly #parentOf: (id: string) => string;
  readonly #assigned = new Map<string, string>();

  /** `parentOf` gives a container's own parent (`--cgroup-parent`); empty = the engine's. */
  constructor(options: {
    readonly parent: string;
    readonly version: '1' | '2';
    readonly parentOf: (id: string) => string;
  }) {
    this.#parent = options.parent;
    this.#unified = options.version === '2';
    this.#parentOf = options.parentOf;
  }

  /** The parent of what is no container, as long as it runs; empty = the engine's. */
  assign(id: string, parent: string): Disposable {
    this.#assigned.set(id, parent);
    return { [Symbol.dispose]: () => this.#assigned.delete(id) };
  }

  /** For the OCI spec. With v2 one level deeper: crun removes that one, and the counters above it stay. */
  path(id: string): string {
    return this.#unified ? join(this.#group(id), 'tree') : this.#group(id);
  }

  /** Directory of one controller's files. */
  directory(id: string, controller: string): string {
    const root = this.#unified ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`;
    return join(root, this.path(id));
  }

  /** memory.events counts descendants too (kernel cgroup-v2.rst). With v1 nothing remains to be asked. */
  oomKilled(id: string): boolean {
    if (!this.#unified) return false;
    try {
      const events = readFileSync(join('/sys/fs/cgroup', this.#group(id), 'memory.events'), 'utf8');
      return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0) > 0;
    } catch {
      return false;
    }
  }

  /** Idempotent. */
  remove(id: string): void {
    if (!this.#unified) return;
    for (const directory of [this.directory(id, ''), join('/sys/fs/cgroup', this.#group(id))]) {
      try {
        rmdirSync(directory);
      } catch {
        // Not there (ENOENT), or a process is still on its way out (EBUSY): the start sweep takes it.
      }
    }
  }

  /** Never above the root of the hierarchy, whatever the client writes. */
  #group(id: string): string {
    return join('/', this.#assigned.get(id) || this.#parentOf(id) || this.#parent, id);
  }
}
