/**
 * Everything the engine must remember, in one SQLite database (`engine.db`, WAL, synchronous FULL).
 * Update this comment with every migration.
 *
 *   meta        key, value                      boot_id of the last start, engine id
 *   layers      chain_id, dir, diff_id, parent, size, tar_size   one row a committed layer; files in
 *               layers/<dir>/; size = of its files, tar_size = of its tar (NULL only until the next start)
 *   images      id, config, chain_id, size, tagged_at, parent   id = digest of the config bytes (OCI);
 *               tagged_at = ms since 1970 of the last time it got a name, NULL when not known;
 *               parent = the image whose container was committed, NULL where there was none
 *   manifests   digest, image_id, media_type    by which an image came from or went to a registry; bytes in content/
 *   blobs       digest, diff_id, media_type, size, kept   a layer's tar as registries have it, compressed or not;
 *               kept = 1: its bytes are in content/, since they cannot be made anew (images/originals.ts)
 *   blob_places digest, repository              where a blob is known to be: "example.com/a/b"
 *   tags        reference, image_id             canonical "docker.io/library/busybox:latest"
 *   snapshots   key, dir, parent                writable layer of a container; files in snapshots/<dir>/
 *   containers  id, name, image_id, record      record = JSON of ContainerRecord (containers/container.ts)
 *   networks    id, name, record                record = JSON of NetworkRecord (network/network.ts)
 *   endpoints   container_id, network_id, record   record = JSON of EndpointRecord (network/endpoint.ts)
 *   sandboxes   container_id, record            record = JSON of SandboxRecord (network/endpoint.ts)
 *   volumes     name, record                    record = JSON of VolumeRecord (volumes/volume.ts)
 *   build_cache key, chain_id, parent, type, description, created_at, used_at, uses
 *                                               what a build step made (builder/cache/cache-store.ts); chain_id is
 *                                               NULL for a step that makes no layer; times in ms since 1970
 *   build_mounts  id, dir, description, created_at, used_at, uses   `RUN --mount=type=cache`; files in
 *                                               build-mounts/<dir>/
 *
 * A row appears only when the files it names are complete and on disk; files that no row names are swept
 * at start. A row is deleted before its files.
 */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** Ordered; a database newer than the last entry is refused. */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE layers (
        chain_id TEXT PRIMARY KEY,
        dir INTEGER NOT NULL UNIQUE,
        diff_id TEXT NOT NULL,
        parent TEXT REFERENCES layers(chain_id),
        size INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX layers_parent ON layers(parent);
      CREATE TABLE images (
        id TEXT PRIMARY KEY,
        config BLOB NOT NULL,
        chain_id TEXT REFERENCES layers(chain_id),
        size INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE tags (
        reference TEXT PRIMARY KEY,
        image_id TEXT NOT NULL REFERENCES images(id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX tags_image ON tags(image_id);
      CREATE TABLE snapshots (
        key TEXT PRIMARY KEY,
        dir INTEGER NOT NULL UNIQUE,
        parent TEXT REFERENCES layers(chain_id)
      ) STRICT;
      CREATE TABLE containers (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        image_id TEXT NOT NULL,
        record TEXT NOT NULL
      ) STRICT;
      CREATE INDEX containers_image ON containers(image_id);
      CREATE TABLE networks (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        record TEXT NOT NULL
      ) STRICT;
      CREATE TABLE endpoints (
        container_id TEXT NOT NULL,
        network_id TEXT NOT NULL REFERENCES networks(id),
        record TEXT NOT NULL,
        PRIMARY KEY (container_id, network_id)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE volumes (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 2,
    sql: `
      ALTER TABLE layers ADD COLUMN tar_size INTEGER;
      ALTER TABLE images ADD COLUMN tagged_at INTEGER;
    `,
  },
  {
    // Networks have blocks of both families, and a sandbox is more than its endpoints. What a container that
    // ran under the older engine had is not carried over: it is joined to its networks at its next start.
    version: 3,
    sql: `
      CREATE TABLE sandboxes (container_id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
      DELETE FROM endpoints;
      UPDATE networks SET record = json_remove(
        json_set(
          record,
          '$.ipv4', json(CASE WHEN record ->> '$.bridge' IS NULL THEN 'null' ELSE json_object(
            'subnet', record ->> '$.bridge.subnet', 'gateway', record ->> '$.bridge.gateway',
            'range', record ->> '$.bridge.range', 'auxiliary', record -> '$.bridge.auxiliary') END),
          '$.ipv6', NULL, '$.parent', NULL, '$.mtu', record ->> '$.bridge.mtu', '$.interfacePrefix', 'eth'),
        '$.bridge.subnet', '$.bridge.gateway', '$.bridge.range', '$.bridge.auxiliary', '$.bridge.mtu');
      UPDATE networks SET record = json_set(
          record,
          '$.bridge.foreign', json('false'),
          '$.bridge.gatewayMode', json('{"4":"nat","6":"nat"}'),
          '$.bridge.defaultBindAddress', nullif(record ->> '$.bridge.defaultBindAddress', '0.0.0.0'))
        WHERE record ->> '$.bridge' IS NOT NULL;
    `,
  },
  {
    version: 4,
    sql: `
      CREATE TABLE manifests (
        digest TEXT NOT NULL,
        image_id TEXT NOT NULL,
        media_type TEXT NOT NULL,
        PRIMARY KEY (digest, image_id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX manifests_image ON manifests(image_id);
      CREATE TABLE blobs (
        digest TEXT PRIMARY KEY,
        diff_id TEXT NOT NULL,
        media_type TEXT NOT NULL,
        size INTEGER NOT NULL,
        kept INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX blobs_diff ON blobs(diff_id);
      CREATE TABLE blob_places (
        digest TEXT NOT NULL REFERENCES blobs(digest) ON DELETE CASCADE,
        repository TEXT NOT NULL,
        PRIMARY KEY (digest, repository)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 5,
    sql: `
      CREATE TABLE build_cache (
        key TEXT PRIMARY KEY,
        chain_id TEXT REFERENCES layers(chain_id),
        parent TEXT,
        type TEXT NOT NULL,
        description TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL,
        uses INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX build_cache_layer ON build_cache(chain_id);
      CREATE TABLE build_mounts (
        id TEXT PRIMARY KEY,
        dir INTEGER NOT NULL UNIQUE,
        description TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        used_at INTEGER NOT NULL,
        uses INTEGER NOT NULL
      ) STRICT;
    `,
  },
  {
    version: 6,
    sql: `
      ALTER TABLE images ADD COLUMN parent TEXT REFERENCES images(id);
      CREATE INDEX images_parent ON images(parent);
    `,
  },
];
