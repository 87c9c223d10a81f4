import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import type { Lease, Leases } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import { NotFound } from '../errors.ts';
import { DiskSync } from '../host/disk-sync.ts';
import { transaction } from '../store/database.ts';
import type { EnginePaths } from '../store/paths.ts';
import { chainDirs, chainIdOf } from './chain.ts';
import { deleteUnusedLayers } from './collect.ts';
import type { FilesAtHand } from './layer-files.ts';
import { type LowerView, lowerView } from './lower-view.ts';
import { emptyLayerDir, makeEmptyLayer } from './overlay-mount.ts';
import type { Layer, LayerStore } from './snapshotter.ts';
import { readTarOf, type StagedTar, stageTar, tarSizeOf } from './stage-tar.ts';

/**
 * Layers are numbered directories (`fs/`, `tar-split.gz`). A directory counts only once a row names it, and
 * the row is written after one `syncfs` for all directories of an image; opening sweeps the rest. So a
 * crash at any step leaves whole layers or none.
 */
export class OverlayLayerStore implements LayerStore {
  readonly #db: DatabaseSync;
  readonly #root: string;
  readonly #leases: Pick<Leases, 'held'>;
  readonly #disk = new DiskSync();
  #lastDir: number;

  constructor(db: DatabaseSync, paths: EnginePaths, leases: Pick<Leases, 'held'>) {
    this.#db = db;
    this.#leases = leases;
    this.#root = paths.layers;
    makeEmptyLayer(this.#root);
    const dirs = db
      .prepare('SELECT dir FROM layers')
      .all()
      .map((row) => Number(row.dir));
    const known = new Set([emptyLayerDir, ...dirs].map(String));
    for (const name of readdirSync(this.#root)) {
      if (!known.has(name)) rmSync(join(this.#root, name), { recursive: true });
    }
    this.#lastDir = Math.max(emptyLayerDir, ...dirs);
  }

  async commitTar(
    tar: AsyncIterable<Buffer>,
    parent: Digest | null,
    lease?: Lease,
    atHand?: FilesAtHand,
  ): Promise<Layer> {
    const lower = lowerView(this.#chainPaths(parent));
    const staged = await this.#stage(tar, lower, atHand);
    const [layer] = await this.seal([staged], parent, lease);
    return layer!;
  }

  /**
   * Reads a tar whose parent is not known yet. The result is to be given to {@link seal} or
   * {@link discard}. Throws InvalidParameter on a malformed tar.
   */
  async stage(tar: AsyncIterable<Buffer>): Promise<StagedTar> {
    return this.#stage(tar, null);
  }

  #stage(tar: AsyncIterable<Buffer>, lower: LowerView | null, atHand?: FilesAtHand): Promise<StagedTar> {
    return stageTar(tar, this.#makeDir(), { lower, disk: this.#disk, atHand });
  }

  async discard(staged: StagedTar): Promise<void> {
    await rm(staged.dir, { recursive: true, force: true });
  }

  /**
   * Makes staged tars layers, each on the one before, the first on `parent`. All or nothing, durable when
   * it returns, idempotent as {@link commitTar}. On failure the staged directories are gone. The caller
   * holds the parent; `lease` gets to hold the new layers.
   */
  async seal(tars: readonly StagedTar[], parent: Digest | null, lease?: Lease): Promise<Layer[]> {
    const finished: StagedTar[] = [];
    let layers: Layer[];
    try {
      const below = this.#chainPaths(parent);
      for (const tar of tars) {
        const lower = lowerView(below);
        const whole = tar.fits(lower) ? tar : await this.#again(tar, lower);
        finished.push(whole);
        await whole.finish(lower);
        below.unshift(whole.dir);
      }
      await this.#disk.sync(this.#root);
      layers = transaction(this.#db, () => this.#record(finished, parent));
      for (const { chainId } of layers) lease?.hold(chainId);
    } catch (error) {
      await Promise.all([...tars, ...finished].map((tar) => this.discard(tar)));
      throw error;
    }
    // Another caller may have committed the same layer in the meantime: its directory is the one that stays.
    const kept = new Set(this.#chainPaths(layers.at(-1)?.chainId ?? null));
    await Promise.all(finished.filter((tar) => !kept.has(tar.dir)).map((tar) => this.discard(tar)));
    return layers;
  }

  get(chainId: Digest): Layer {
    const layer = this.find(chainId);
    if (!layer) throw new NotFound(`layer ${chainId} does not exist`);
    return layer;
  }

  find(chainId: Digest): Layer | undefined {
    const row = this.#db
      .prepare('SELECT chain_id, diff_id, parent, size FROM layers WHERE chain_id = ?')
      .get(chainId);
    return (
      row && {
        chainId: row.chain_id as Digest,
        diffId: row.diff_id as Digest,
        parent: row.parent as Digest | null,
        sizeBytes: Number(row.size),
      }
    );
  }

  readTar(chainId: Digest): Readable {
    const { diffId } = this.get(chainId);
    return Readable.from(readTarOf(this.#dirOf(chainId), diffId), {
      objectMode: false,
      highWaterMark: 256 * 1024,
    });
  }

  /** How many bytes {@link readTar} gives. Throws NotFound. */
  tarSize(chainId: Digest): number {
    const row = this.#db.prepare('SELECT tar_size FROM layers WHERE chain_id = ?').get(chainId);
    if (!row) throw new NotFound(`layer ${chainId} does not exist`);
    return Number(row.tar_size);
  }

  /** The directories of a chain, top first. */
  directories(top: Digest | null): string[] {
    return this.#chainPaths(top).map((path) => join(path, 'fs'));
  }

  /** Bytes of all layers. */
  totalBytes(): number {
    return Number(this.#db.prepare('SELECT coalesce(sum(size), 0) AS bytes FROM layers').get()!.bytes);
  }

  /** A layer, on whatever parent, that was made of the tar with this digest. */
  findDiff(diffId: Digest): Digest | undefined {
    const row = this.#db.prepare('SELECT chain_id FROM layers WHERE diff_id = ? LIMIT 1').get(diffId);
    return row?.chain_id as Digest | undefined;
  }

  async collect(): Promise<readonly Digest[]> {
    const gone = transaction(this.#db, () => deleteUnusedLayers(this.#db, this.#leases.held()));
    await Promise.all(gone.map(({ dir }) => rm(this.#path(dir), { recursive: true, force: true })));
    return gone.map(({ chainId }) => chainId);
  }

  /** Measures layers of engines that did not remember how long their tars are. */
  async measure(): Promise<void> {
    const rows = this.#db.prepare('SELECT dir FROM layers WHERE tar_size IS NULL').all();
    const save = this.#db.prepare('UPDATE layers SET tar_size = ? WHERE dir = ?');
    for (const { dir } of rows) save.run(await tarSizeOf(this.#path(Number(dir))), dir!);
  }

  /** The same tar once more, now with the lower layers known. */
  async #again(tar: StagedTar, lower: LowerView): Promise<StagedTar> {
    const whole = await this.#stage(readTarOf(tar.dir, tar.diffId), lower);
    await this.discard(tar);
    return whole;
  }

  #record(tars: readonly StagedTar[], parent: Digest | null): Layer[] {
    const insert = this.#db.prepare(
      `INSERT INTO layers (chain_id, dir, diff_id, parent, size, tar_size, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (chain_id) DO NOTHING`,
    );
    const layers: Layer[] = [];
    let below = parent;
    for (const { diffId, sizeBytes, tarBytes, dir } of tars) {
      const chainId = chainIdOf(below, diffId);
      const number = Number(dir.slice(this.#root.length + 1));
      insert.run(chainId, number, diffId, below, sizeBytes, tarBytes, Date.now());
      layers.push({ chainId, diffId, parent: below, sizeBytes });
      below = chainId;
    }
    return layers;
  }

  #dirOf(chainId: Digest): string {
    const row = this.#db.prepare('SELECT dir FROM layers WHERE chain_id = ?').get(chainId);
    if (!row) throw new NotFound(`layer ${chainId} does not exist`);
    return this.#path(Number(row.dir));
  }

  #chainPaths(top: Digest | null): string[] {
    return chainDirs(this.#db, top).map((dir) => this.#path(dir));
  }

  #makeDir(): string {
    const path = this.#path(++this.#lastDir);
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  #path(dir: number): string {
    return join(this.#root, String(dir));
  }
}
