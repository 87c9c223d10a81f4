import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import type { Digest } from '../digest.ts';
import { Conflict, NotFound } from '../errors.ts';
import { quickTransaction } from '../store/database.ts';
import type { EnginePaths } from '../store/paths.ts';
import { chainBytes, chainDirs } from './chain.ts';
import { type LowerView, lowerView } from './lower-view.ts';
import { makeMountPoints } from './mount-points.ts';
import { emptyLayerDir, makeEmptyLayer, overlayMount, readonlyOverlayMount } from './overlay-mount.ts';
import type { Mount, Snapshotter } from './snapshotter.ts';
import { type AdjustEntry, type Change, changesOf, diffOf, usageOf } from './upper.ts';

/**
 * Snapshots are numbered directories with `upper/` (the container's own files) and `work/` (overlay's).
 * Opening sweeps directories that no row names, so a crash at any step leaves nothing. Rows are durable with what is
 * recorded next: a container's own record, an image.
 */
export class OverlaySnapshotter implements Snapshotter {
  readonly #db: DatabaseSync;
  readonly #paths: EnginePaths;
  #lastDir: number;

  constructor(db: DatabaseSync, paths: EnginePaths) {
    this.#db = db;
    this.#paths = paths;
    makeEmptyLayer(paths.layers);
    mkdirSync(paths.snapshots, { recursive: true, mode: 0o700 });
    const known = new Set(
      db
        .prepare('SELECT dir FROM snapshots')
        .all()
        .map((row) => `${row.dir}`),
    );
    for (const name of readdirSync(paths.snapshots)) {
      if (!known.has(name)) rmSync(join(paths.snapshots, name), { recursive: true });
    }
    this.#lastDir = Number(db.prepare('SELECT max(dir) AS dir FROM snapshots').get()?.dir ?? 0);
  }

  async prepare(key: string, parent: Digest | null): Promise<void> {
    if (this.#find(key)) throw new Conflict(`snapshot "${key}" exists already`);
    const lower = chainDirs(this.#db, parent);
    const dir = ++this.#lastDir;
    this.#makeDirs(dir, lower);
    const insert = this.#db.prepare('INSERT INTO snapshots (key, dir, parent) VALUES (?, ?, ?)');
    quickTransaction(this.#db, () => insert.run(key, dir, parent));
  }

  mount(key: string): Mount {
    const { dir, lower } = this.#get(key);
    // A power cut may have kept the row and lost the (still empty) directories.
    this.#makeDirs(dir, lower);
    const { layers } = this.#paths;
    return overlayMount(
      layers,
      lower.length > 0 ? lower : [emptyLayerDir],
      relative(layers, this.#path(dir)),
    );
  }

  view(parent: Digest): Mount {
    return readonlyOverlayMount(this.#paths.layers, chainDirs(this.#db, parent));
  }

  async remove(key: string): Promise<void> {
    const found = this.#find(key);
    if (!found) return;
    const forget = this.#db.prepare('DELETE FROM snapshots WHERE key = ?');
    quickTransaction(this.#db, () => forget.run(key));
    await rm(this.#path(found.dir), { recursive: true, force: true });
  }

  async changes(key: string): Promise<Change[]> {
    const { dir, lower } = this.#get(key);
    return changesOf(this.#upper(dir), this.#view(lower));
  }

  diff(key: string, adjust?: AdjustEntry): Readable {
    const { dir, lower } = this.#get(key);
    return diffOf(this.#upper(dir), this.#view(lower), adjust);
  }

  upper(key: string): string {
    return this.#upper(this.#get(key).dir);
  }

  async usage(key: string): Promise<number> {
    return usageOf(this.#upper(this.#get(key).dir));
  }

  lowerBytes(key: string): number {
    const found = this.#find(key);
    if (!found) throw new NotFound(`snapshot "${key}" does not exist`);
    return chainBytes(this.#db, found.parent);
  }

  #makeDirs(dir: number, lower: readonly number[]): void {
    const upper = this.#upper(dir);
    mkdirSync(join(this.#path(dir), 'work'), { recursive: true, mode: 0o700 });
    if (mkdirSync(upper, { recursive: true }) === undefined) return;
    // The upper directory's attributes are those of the container's `/`.
    const top = lstatSync(join(this.#paths.layers, `${lower[0] ?? emptyLayerDir}`, 'fs'));
    chownSync(upper, top.uid, top.gid);
    chmodSync(upper, top.mode & 0o7777);
    makeMountPoints(upper, this.#view(lower));
  }

  #view(lower: readonly number[]): LowerView {
    return lowerView(lower.map((number) => join(this.#paths.layers, `${number}`)));
  }

  #upper(dir: number): string {
    return join(this.#path(dir), 'upper');
  }

  #path(dir: number): string {
    return join(this.#paths.snapshots, `${dir}`);
  }

  #get(key: string): { dir: number; lower: number[] } {
    const found = this.#find(key);
    if (!found) throw new NotFound(`snapshot "${key}" does not exist`);
    return { dir: found.dir, lower: chainDirs(this.#db, found.parent) };
  }

  #find(key: string): { dir: number; parent: Digest | null } | undefined {
    const row = this.#db.prepare('SELECT dir, parent FROM snapshots WHERE key = ?').get(key);
    return row && { dir: Number(row.dir), parent: row.parent as Digest | null };
  }
}
