import type { DatabaseSync } from 'node:sqlite';
import type { ContentStore } from '../content/content-store.ts';
import type { Leases } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import { transaction } from '../store/database.ts';

/** A layer's tar as a registry has it. */
export interface LayerBlob {
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
  /** Bytes of the blob. */
  readonly size: number;
  /** Its bytes are in the content store: compressed elsewhere, nobody here can make them anew. */
  readonly kept: boolean;
}

export interface ImageManifest {
  readonly digest: Digest;
  readonly mediaType: string;
}

/**
 * What images looked like in registries: their manifests and the blobs of their layers, so that an image goes
 * out bit for bit as it came in, and what a registry has already is not sent again. The `manifests`, `blobs`
 * and `blob_places` tables, and all of the content store. Kept as long as the image or layer is here.
 */
export class Originals {
  readonly content: ContentStore;
  readonly #db: DatabaseSync;
  readonly #leases: Pick<Leases, 'held'>;

  constructor(db: DatabaseSync, content: ContentStore, leases: Pick<Leases, 'held'>) {
    this.#db = db;
    this.content = content;
    this.#leases = leases;
  }

  /** Its bytes are in the content store. The caller holds the digest until the image is recorded. */
  rememberManifest(imageId: Digest, { digest, mediaType }: ImageManifest): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO manifests (digest, image_id, media_type) VALUES (?, ?, ?)')
      .run(digest, imageId, mediaType);
  }

  /** @param repository where they are; null = in none */
  rememberBlobs(blobs: readonly LayerBlob[], repository: string | null): void {
    const blob = this.#db.prepare(
      `INSERT INTO blobs (digest, diff_id, media_type, size, kept) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (digest) DO UPDATE SET kept = max(kept, excluded.kept)`,
    );
    const place = this.#db.prepare('INSERT OR IGNORE INTO blob_places (digest, repository) VALUES (?, ?)');
    transaction(this.#db, () => {
      for (const { digest, diffId, mediaType, size, kept } of blobs) {
        blob.run(digest, diffId, mediaType, size, Number(kept));
        if (repository !== null) place.run(digest, repository);
      }
    });
  }

  manifestsOf(imageId: Digest): ImageManifest[] {
    return this.#db
      .prepare('SELECT digest, media_type FROM manifests WHERE image_id = ?')
      .all(imageId)
      .map((row) => ({ digest: row.digest as Digest, mediaType: String(row.media_type) }));
  }

  blob(digest: Digest): LayerBlob | undefined {
    const row = this.#db
      .prepare('SELECT digest, diff_id, media_type, size, kept FROM blobs WHERE digest = ?')
      .get(digest);
    return row && toBlob(row);
  }

  /** Every form of a tar that is known. */
  blobsOf(diffId: Digest): LayerBlob[] {
    return this.#db
      .prepare('SELECT digest, diff_id, media_type, size, kept FROM blobs WHERE diff_id = ? ORDER BY digest')
      .all(diffId)
      .map(toBlob);
  }

  /** Repositories of a registry that have the blob, as paths. */
  placesOf(digest: Digest, domain: string): string[] {
    return this.#db
      .prepare('SELECT repository FROM blob_places WHERE digest = ? ORDER BY repository')
      .all(digest)
      .map((row) => String(row.repository))
      .filter((repository) => repository.startsWith(`${domain}/`))
      .map((repository) => repository.slice(domain.length + 1));
  }

  /** Bytes of the blobs that are kept. */
  totalBytes(): number {
    const row = this.#db.prepare('SELECT coalesce(sum(size), 0) AS bytes FROM blobs WHERE kept').get();
    return Number(row!.bytes);
  }

  /** Forgets what belongs to no image and no layer, and no lease holds. */
  collect(): void {
    const held = JSON.stringify([...this.#leases.held()]);
    const digests = transaction(this.#db, () => {
      this.#db
        .prepare(
          `DELETE FROM manifests WHERE image_id NOT IN (SELECT id FROM images)
           AND digest NOT IN (SELECT value FROM json_each(?))`,
        )
        .run(held);
      this.#db
        .prepare(
          `DELETE FROM blobs WHERE diff_id NOT IN (SELECT diff_id FROM layers)
           AND digest NOT IN (SELECT value FROM json_each(?))`,
        )
        .run(held);
      return this.#db.prepare('SELECT digest FROM manifests UNION SELECT digest FROM blobs WHERE kept').all();
    });
    this.content.collect(new Set(digests.map((row) => row.digest as Digest)));
  }
}

function toBlob(row: Record<string, unknown>): LayerBlob {
  return {
    digest: row.digest as Digest,
    diffId: row.diff_id as Digest,
    mediaType: String(row.media_type),
    size: Number(row.size),
    kept: row.kept === 1,
  };
}
