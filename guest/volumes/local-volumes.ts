import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Conflict, Internal, NotFound } from '../errors.ts';
import type { EventSink } from '../events/event.ts';
import { newId } from '../ids.ts';
import { copyUp } from './copy-up.ts';
import { anonymousLabel, checkVolumeName, isAnonymous, type VolumeRecord } from './volume.ts';
import { kernelFileSystems, mountVolume, parseVolumeOptions, unmountVolume } from './volume-mount.ts';
import type { VolumeMountpoint, VolumeStore } from './volume-store.ts';

/** Names of directories that wait to be deleted; no volume's name begins with a dot. */
const trashPrefix = '.removed-';

/**
 * Volumes on this host's disk, `<directory>/NAME/_data` each. A volume is there when its row is; it goes by
 * renaming its directory first, so that a crash leaves either a volume or rubbish that the next start sweeps.
 */
export class LocalVolumes implements VolumeStore {
  readonly #db: DatabaseSync;
  readonly #directory: string;
  readonly #events: EventSink;
  readonly #usersOf: (name: string) => readonly string[];
  /** One piece of work on a volume at a time. */
  readonly #turns = new Map<string, Promise<unknown>>();

  private constructor(options: VolumesOptions) {
    this.#db = options.db;
    this.#directory = options.directory;
    this.#events = options.events;
    this.#usersOf = options.usersOf;
  }

  /** Undoes what a crash left half done. */
  static async open(options: VolumesOptions): Promise<LocalVolumes> {
    const volumes = new LocalVolumes(options);
    await mkdir(options.directory, { recursive: true, mode: 0o711 });
    await volumes.#sweep();
    return volumes;
  }

  async ensure(
    name: string,
    options: { readonly labels?: Readonly<Record<string, string>> } = {},
  ): Promise<VolumeMountpoint> {
    const volume = await this.create({ name, labels: options.labels ?? {}, options: {} });
    await this.#mount(volume);
    return {
      name: volume.name,
      driver: 'local',
      mountpoint: this.mountpoint(volume.name),
      anonymous: isAnonymous(volume),
    };
  }

  async populate(name: string, from: string): Promise<void> {
    const volume = this.get(name);
    await this.#inTurn(name, async () => {
      const target = this.mountpoint(name);
      if ((await readdir(target)).length > 0) return;
      this.#save({ ...volume, populating: true });
      await copyUp(from, target).catch(async (cause) => {
        await empty(target);
        throw new Internal(`failed to copy-up into volume ${name}: ${cause.message}`, { cause });
      });
      this.#save({ ...volume, populating: false });
    });
  }

  async remove(name: string): Promise<void> {
    this.get(name);
    await this.#inTurn(name, async () => {
      const users = this.#usersOf(name);
      if (users.length > 0) throw new Conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
      await unmountVolume(this.mountpoint(name));
      const trash = join(this.#directory, trashPrefix + newId().slice(0, 16));
      await rename(join(this.#directory, name), trash);
      this.#db.prepare('DELETE FROM volumes WHERE name = ?').run(name);
      await rm(trash, { recursive: true, force: true });
      this.#publish('destroy', name);
    });
  }

  /**
   * Makes a volume; an empty name makes an anonymous one, and one that is there is given back as it is.
   * Throws InvalidParameter for a name or an option that cannot be.
   */
  async create(request: Pick<VolumeRecord, 'name' | 'labels' | 'options'>): Promise<VolumeRecord> {
    const anonymous = request.name === '';
    const name = anonymous ? newId() : request.name;
    checkVolumeName(name);
    parseVolumeOptions(request.options, await kernelFileSystems());
    return this.#inTurn(name, async () => {
      const known = this.#find(name);
      if (known) return known;
      await mkdir(join(this.#directory, name, '_data'), { recursive: true, mode: 0o755 });
      const volume: VolumeRecord = {
        name,
        createdAt: new Date().toISOString(),
        labels: anonymous ? { ...request.labels, [anonymousLabel]: '' } : request.labels,
        options: request.options,
        populating: false,
      };
      this.#save(volume);
      this.#publish('create', name);
      return volume;
    });
  }

  /** Throws NotFound. */
  get(name: string): VolumeRecord {
    const volume = this.#find(name);
    if (!volume) throw new NotFound(`get ${name}: no such volume`);
    return volume;
  }

  list(): VolumeRecord[] {
    return this.#db.prepare('SELECT record FROM volumes ORDER BY name').all().map(parse);
  }

  isUsed(name: string): boolean {
    return this.userCount(name) > 0;
  }

  /** How many containers name it. */
  userCount(name: string): number {
    return this.#usersOf(name).length;
  }

  mountpoint(name: string): string {
    return join(this.#directory, name, '_data');
  }

  async #mount(volume: VolumeRecord): Promise<void> {
    const mount = parseVolumeOptions(volume.options, await kernelFileSystems());
    if (mount) await this.#inTurn(volume.name, () => mountVolume(mount, this.mountpoint(volume.name)));
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(trashPrefix)) await rm(join(this.#directory, name), { recursive: true });
    }
    for (const volume of this.list()) {
      const there = await stat(this.mountpoint(volume.name)).then(
        () => true,
        () => false,
      );
      if (!there) this.#db.prepare('DELETE FROM volumes WHERE name = ?').run(volume.name);
      else if (volume.populating) {
        await empty(this.mountpoint(volume.name));
        this.#save({ ...volume, populating: false });
      }
    }
  }

  #find(name: string): VolumeRecord | null {
    const row = this.#db.prepare('SELECT record FROM volumes WHERE name = ?').get(name);
    return row ? parse(row) : null;
  }

  #save(volume: VolumeRecord): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO volumes (name, record) VALUES (?, ?)')
      .run(volume.name, JSON.stringify(volume));
  }

  #publish(action: string, name: string): void {
    this.#events.publish({ type: 'volume', action, actor: { id: name, attributes: { driver: 'local' } } });
  }

  async #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work, work);
    this.#turns.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }
}

export interface VolumesOptions {
  readonly db: DatabaseSync;
  readonly directory: string;
  readonly events: EventSink;
  /** Ids of the containers, running or not, that use a volume. */
  readonly usersOf: (name: string) => readonly string[];
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Only this engine writes the rows, with a schema version; so their shape is known. */
function parse(row: Record<string, unknown>): VolumeRecord {
  return JSON.parse(String(row.record)) as VolumeRecord;
}
