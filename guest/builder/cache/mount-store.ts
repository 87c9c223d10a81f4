import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { newId } from '../../ids.ts';
import { usageOf } from '../../layers/upper.ts';
import type { BuildCacheRecord } from '../build.ts';

export const sharingModes = ['shared', 'private', 'locked'] as const;
export type Sharing = (typeof sharingModes)[number];

export interface CacheMountWish {
  readonly id: string;
  readonly sharing: Sharing;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Fills a directory that is made now. */
  fill(directory: string): Promise<void>;
}

export interface OpenCacheMount extends Disposable {
  readonly directory: string;
}

/** The directories of `RUN --mount=type=cache`, kept from build to build. */
export class MountStore {
  readonly #db: DatabaseSync;
  readonly #root: string;
  /** Directory numbers in use, by how many steps. */
  readonly #users = new Map<number, number>();
  /** Of locked mounts: settles when the last one that waits has had its turn. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(db: DatabaseSync, root: string) {
    this.#db = db;
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  /** Removes directories that no row names. */
  async sweep(): Promise<void> {
    const known = new Set(this.#rows().map(({ dir }) => `${dir}`));
    const lost = readdirSync(this.#root).filter((name) => !known.has(name));
    await Promise.all(lost.map((name) => rm(join(this.#root, name), { recursive: true, force: true })));
  }

  /** `locked` waits for the step that has it; `private` gets another directory while one is in use. */
  async open(wish: CacheMountWish, signal: AbortSignal): Promise<OpenCacheMount> {
    if (wish.sharing !== 'locked') return this.#take(wish);
    const before = this.#turns.get(wish.id) ?? Promise.resolve();
    let done = () => {};
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.#turns.set(
      wish.id,
      before.then(() => mine),
    );
    try {
      await unlessAborted(before, signal);
      const taken = await this.#take(wish);
      return {
        directory: taken.directory,
        [Symbol.dispose]() {
          taken[Symbol.dispose]();
          done();
        },
      };
    } catch (error) {
      done();
      throw error;
    }
  }

  async records(): Promise<BuildCacheRecord[]> {
    return Promise.all(
      this.#rows().map(async (row) => ({
        id: row.id,
        parents: [],
        type: 'exec.cachemount' as const,
        description: row.description,
        inUse: this.#users.has(row.dir),
        shared: false,
        sizeBytes: await usageOf(join(this.#root, `${row.dir}`)),
        createdAt: new Date(row.createdAt),
        lastUsedAt: new Date(row.usedAt),
        usageCount: row.uses,
      })),
    );
  }

  /** Does nothing to one that a step uses. */
  async remove(id: string): Promise<void> {
    const row = this.#rows().find((one) => one.id === id);
    if (!row || this.#users.has(row.dir)) return;
    this.#db.prepare('DELETE FROM build_mounts WHERE id = ?').run(id);
    // Its number is free for another at once.
    const [directory, gone] = [join(this.#root, `${row.dir}`), join(this.#root, `${row.dir}.${newId()}`)];
    if (existsSync(directory)) renameSync(directory, gone);
    await rm(gone, { recursive: true, force: true });
  }

  async #take(wish: CacheMountWish): Promise<OpenCacheMount> {
    const names = Array.from({ length: 64 }, (_, i) => (i === 0 ? wish.id : `${wish.id}#${i}`));
    const rows = new Map(this.#rows().map((row) => [row.id, row]));
    const isFree = (id: string) => !this.#users.has(rows.get(id)?.dir ?? -1);
    const id = wish.sharing === 'private' ? names.find(isFree) : wish.id;
    if (id === undefined) throw new Error(`too many steps use the private cache mount "${wish.id}" at once`);
    const dir = rows.get(id)?.dir ?? Math.max(0, ...[...rows.values()].map((row) => row.dir)) + 1;
    const directory = join(this.#root, `${dir}`);
    this.#users.set(dir, (this.#users.get(dir) ?? 0) + 1);
    const release = () => {
      const left = this.#users.get(dir)! - 1;
      if (left > 0) this.#users.set(dir, left);
      else this.#users.delete(dir);
    };
    try {
      const now = Date.now();
      this.#db
        .prepare(
          `INSERT INTO build_mounts (id, dir, description, created_at, used_at, uses) VALUES (?, ?, ?, ?, ?, 1)
           ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at, uses = uses + 1`,
        )
        .run(id, dir, `cached mount ${wish.id}`, now, now);
      // A power cut may have kept the row and lost the directory.
      if (mkdirSync(directory, { recursive: true }) !== undefined) {
        await wish.fill(directory);
        chownSync(directory, wish.uid, wish.gid);
        chmodSync(directory, wish.mode);
      }
    } catch (error) {
      release();
      throw error;
    }
    return { directory, [Symbol.dispose]: release };
  }

  #rows() {
    return this.#db
      .prepare('SELECT * FROM build_mounts ORDER BY used_at')
      .all()
      .map((row) => ({
        id: String(row.id),
        dir: Number(row.dir),
        description: String(row.description),
        createdAt: Number(row.created_at),
        usedAt: Number(row.used_at),
        uses: Number(row.uses),
      }));
  }
}

function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
