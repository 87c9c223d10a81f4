import type { DatabaseSync } from 'node:sqlite';
import { type Digest, digestOf, isDigest } from '../digest.ts';
import { InvalidParameter, NotFound } from '../errors.ts';
import { chainIdOfAll } from '../layers/chain.ts';
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../reference.ts';
import { quickTransaction, transaction } from '../store/database.ts';
import type { Image, ImageConfig, ImageResolver } from './image.ts';
import { parseImageConfig } from './image-config.ts';

/** Configurations are a few KiB. */
const keptConfigs = 64;
/** Instructions of some dozen Dockerfiles. */
const keptBetween = 256;

const columns = 'id, config, chain_id, size, created_at, tagged_at, parent';

interface NewImage {
  readonly id: Digest;
  readonly config: Uint8Array;
  readonly names: readonly Reference[];
  readonly parent: Digest | null;
}

/** What a step of a build left, on top of the image of the step before. */
export interface ImageBetween {
  readonly parent: Digest | null;
  /** Says of two with the same parent whether they are the same. */
  readonly change: string;
  config(): Buffer;
}

/** Images and their names: the `images` and `tags` tables. A name points at one image; an image has any number. */
export class ImageStore implements ImageResolver {
  readonly #db: DatabaseSync;
  /** What was read last, by image: its bytes never change. */
  readonly #configs = new Map<Digest, ImageConfig>();

  /** Images between steps that are there, by parent and change: a cached build makes none of their configurations. */
  readonly #between = new Map<string, Digest>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  resolve(reference: string): Image {
    const image = isDigest(reference)
      ? this.get(reference)
      : (this.#byName(reference) ?? this.#byPrefix(reference));
    if (!image) throw new NotFound(`No such image: ${familiar(reference)}`);
    return image;
  }

  /** Whether {@link resolve} would find one. */
  has(reference: string): boolean {
    try {
      return this.resolve(reference) !== undefined;
    } catch {
      return false;
    }
  }

  get(id: Digest): Image | undefined {
    const row = this.#row(id);
    return row && this.#toImage(row);
  }

  list(): Image[] {
    const rows = this.#db.prepare(`SELECT ${columns} FROM images ORDER BY created_at DESC, id`).all();
    return rows.map((row) => this.#toImage(row));
  }

  count(): number {
    return Number(this.#db.prepare('SELECT count(*) AS count FROM images').get()!.count);
  }

  /** The configuration exactly as it came: its digest is the id. Throws NotFound. */
  configBytes(id: Digest): Buffer {
    const row = this.#db.prepare('SELECT config FROM images WHERE id = ?').get(id);
    if (!row) throw new NotFound(`No such image: ${id}`);
    return Buffer.from(row.config as Uint8Array);
  }

  /**
   * Records an image whose layers are all committed, and moves the names to it: one transaction, idempotent.
   * `parent` is an image that cannot be deleted before this one.
   * Throws InvalidParameter when a layer is missing or the configuration is malformed.
   */
  put(config: Uint8Array, names: readonly Reference[] = [], parent: Digest | null = null): Image {
    return this.#put({ id: digestOf(config), config, names, parent }, transaction);
  }

  /** The same for an image between the steps of a build: durable with the one that is made of it. */
  putBetween({ parent, change, config: configOf }: ImageBetween): Digest {
    const key = `${parent} ${change}`;
    const kept = parent === null ? undefined : this.#between.get(key);
    if (kept) return kept;
    const config = configOf();
    const id = digestOf(config);
    if (!this.#db.prepare('SELECT 1 FROM images WHERE id = ?').get(id))
      this.#put({ id, config, names: [], parent }, quickTransaction);
    remember(this.#between, key, id, keptBetween);
    return id;
  }

  #put({ id, config, names, parent }: NewImage, inTransaction: typeof transaction): Image {
    const known = this.#row(id);
    if (known && names.every((name) => this.#idOf(name) === id)) return this.#toImage(known);
    const parsed = this.#parse(id, config);
    const chainId = chainIdOfAll(parsed.rootfs.diff_ids);
    const size = chainId === null ? 0 : this.#chainSize(chainId);
    const createdAt = Date.parse(parsed.created ?? '');
    inTransaction(this.#db, () => {
      this.#db
        .prepare(
          `INSERT INTO images (id, config, chain_id, size, created_at, parent)
           VALUES (?, ?, ?, ?, ?, (SELECT id FROM images WHERE id = ?))
           ON CONFLICT (id) DO NOTHING`,
        )
        .run(id, config, chainId, size, Number.isNaN(createdAt) ? 0 : createdAt, parent);
      for (const name of names) this.#setTag(name, id);
    });
    return this.#toImage(this.#row(id)!);
  }

  /** Points a name (with tag or digest) at an image; returns the image that had it before. */
  tag(name: Reference, id: Digest): Digest | undefined {
    return transaction(this.#db, () => this.#setTag(name, id));
  }

  /** Forgets a name. Idempotent. */
  untag(name: Reference): void {
    this.#db.prepare('DELETE FROM tags WHERE reference = ?').run(keyOf(name));
  }

  /** Forgets the image and every name of it. The caller collects layers. Never of one with children. */
  delete(id: Digest): void {
    transaction(this.#db, () => {
      this.#db.prepare('DELETE FROM tags WHERE image_id = ?').run(id);
      this.#db.prepare('DELETE FROM images WHERE id = ?').run(id);
    });
    this.#between.clear();
  }

  /** Whether images were committed from containers of this one. */
  hasChildren(id: Digest): boolean {
    return this.#db.prepare('SELECT 1 FROM images WHERE parent = ? LIMIT 1').get(id) !== undefined;
  }

  /** An image, and those that were made of it: their layers and history begin with its own. */
  descendants(id: Digest): ReadonlySet<Digest> {
    const ancestor = this.get(id);
    const found = ancestor ? this.list().filter((image) => beginsWith(image.config, ancestor.config)) : [];
    return new Set(found.map((image) => image.id));
  }

  /** Every name of an image, in order of the alphabet. */
  names(id: Digest): Reference[] {
    const rows = this.#db.prepare('SELECT reference FROM tags WHERE image_id = ? ORDER BY reference').all(id);
    return rows.map((row) => parseReference(String(row.reference)));
  }

  /** The names of all images, as {@link names} gives them. */
  allNames(): ReadonlyMap<Digest, readonly Reference[]> {
    const rows = this.#db.prepare('SELECT image_id, reference FROM tags ORDER BY reference').all();
    const names = new Map<Digest, Reference[]>();
    for (const { image_id: id, reference } of rows) {
      const list = names.get(id as Digest) ?? [];
      list.push(parseReference(String(reference)));
      names.set(id as Digest, list);
    }
    return names;
  }

  /** Every tag of a repository. */
  tagsOf({ domain, path }: Reference): Reference[] {
    const prefix = `${domain}/${path}:`;
    const rows = this.#db
      .prepare('SELECT reference FROM tags WHERE reference >= ? AND reference < ? ORDER BY reference')
      .all(prefix, `${domain}/${path};`);
    return rows.map((row) => parseReference(String(row.reference)));
  }

  /** The image that a parsed name points at. */
  byReference(name: Reference): Image | undefined {
    const id = this.#idOf(name);
    return id && this.get(id);
  }

  #toImage(row: Record<string, unknown>): Image {
    return {
      id: row.id as Digest,
      config: this.#parse(row.id as Digest, row.config as Uint8Array),
      chainId: row.chain_id as Digest | null,
      sizeBytes: Number(row.size),
      createdAt: new Date(Number(row.created_at)),
      taggedAt: row.tagged_at === null ? null : new Date(Number(row.tagged_at)),
      parent: row.parent as Digest | null,
    };
  }

  #parse(id: Digest, bytes: Uint8Array): ImageConfig {
    const config = this.#configs.get(id) ?? parseImageConfig(bytes);
    remember(this.#configs, id, config, keptConfigs);
    return config;
  }

  #row(id: Digest): Record<string, unknown> | undefined {
    return this.#db.prepare(`SELECT ${columns} FROM images WHERE id = ?`).get(id);
  }

  #idOf(name: Reference): Digest | undefined {
    const row = this.#db.prepare('SELECT image_id FROM tags WHERE reference = ?').get(keyOf(name));
    return row?.image_id as Digest | undefined;
  }

  #byName(text: string): Image | undefined {
    if (/^[0-9a-f]{64}$/.test(text)) return this.get(`sha256:${text}`);
    return this.byReference(parseReference(text));
  }

  #byPrefix(text: string): Image | undefined {
    const prefix = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
    if (prefix === undefined) return undefined;
    const rows = this.#db
      .prepare('SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2')
      .all(`sha256:${prefix}`, `sha256:${prefix}g`);
    if (rows.length > 1) {
      throw new NotFound(`No such image: ${familiar(text)} (several image ids begin with "${prefix}")`);
    }
    return rows[0] && this.get(rows[0].id as Digest);
  }

  #setTag(name: Reference, id: Digest): Digest | undefined {
    const reference = keyOf(name);
    const before = this.#idOf(name);
    this.#db
      .prepare(
        `INSERT INTO tags (reference, image_id) VALUES (?, ?)
         ON CONFLICT (reference) DO UPDATE SET image_id = excluded.image_id`,
      )
      .run(reference, id);
    this.#db.prepare('UPDATE images SET tagged_at = ? WHERE id = ?').run(Date.now(), id);
    return before;
  }

  #chainSize(top: Digest): number {
    const row = this.#db
      .prepare(
        `WITH RECURSIVE chain(parent, size) AS (
           SELECT parent, size FROM layers WHERE chain_id = ?
           UNION ALL SELECT l.parent, l.size FROM layers l JOIN chain c ON l.chain_id = c.parent
         ) SELECT sum(size) AS size FROM chain`,
      )
      .get(top);
    if (row?.size == null) throw new InvalidParameter(`layer ${top} of the image is missing`);
    return Number(row.size);
  }
}

/** The one that was used longest ago goes. */
function remember<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value!);
}

function beginsWith(config: ImageConfig, beginning: ImageConfig): boolean {
  const steps = ({ history }: ImageConfig) => (history ?? []).map((entry) => JSON.stringify(entry));
  const isStart = (whole: readonly string[], start: readonly string[]) =>
    start.every((part, at) => whole[at] === part);
  return (
    isStart(config.rootfs.diff_ids, beginning.rootfs.diff_ids) && isStart(steps(config), steps(beginning))
  );
}

/** Where a name has a digest, its tag is a remark. */
function keyOf({ tag, ...name }: Reference): string {
  return formatReference(name.digest === undefined ? withDefaultTag({ ...name, ...(tag && { tag }) }) : name);
}

/** As dockerd names a missing image: the familiar name with its tag. */
function familiar(text: string): string {
  if (isDigest(text)) return text;
  if (/^[0-9a-f]{64}$/.test(text)) return `sha256:${text}`;
  return familiarReference(withDefaultTag(parseReference(text)));
}
