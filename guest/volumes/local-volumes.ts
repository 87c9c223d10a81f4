import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Conflict, EngineError, Internal, InvalidParameter, NotFound } from '../errors.ts';
import type { EventSink } from '../events/event.ts';
import { newId } from '../ids.ts';
import { ConfinedRoot, type OpenDirectory } from '../layers/confined-root.ts';
import { byteString } from '../layers/tar-entry.ts';
import { copyUp } from './copy-up.ts';
import { anonymousLabel, checkVolumeName, isAnonymous, type VolumeRecord } from './volume.ts';
import { hasFileSystem, mountVolume, unmountVolume } from './volume-mount.ts';
import { needsFileSystem, parseVolumeOptions } from './volume-options.ts';
import type { VolumeMountpoint, VolumeStore, VolumeUser, VolumeWish } from './volume-store.ts';

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
  /** Ids of running containers, by volume. */
  readonly #running = new Map<string, Set<string>>();
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

  async ensure(name: string, { labels = {}, options = {} }: VolumeWish = {}): Promise<VolumeMountpoint> {
    const volume = await this.#make({ name, labels, options }, { loose: name === '' });
    return {
      name: volume.name,
      driver: 'local',
      mountpoint: this.mountpoint(volume.name),
      anonymous: isAnonymous(volume),
    };
  }

  keep(names: readonly string[]): void {
    for (const name of names) {
      const { loose: _, ...kept } = this.get(name);
      this.#save(kept);
    }
  }

  async populate(
    name: string,
    from: () => Promise<string | null>,
    { below = '' }: { readonly below?: string } = {},
  ): Promise<void> {
    const volume = this.get(name);
    await this.#inTurn(name, async () => {
      await using shown = await this.#shown(volume);
      using target = openBelow(shown.path, below);
      if (!target || (await readdir(target.processPath)).length > 0) return;
      const source = await from();
      if (source === null) return;
      this.#save({ ...volume, populating: true, populatingBelow: below });
      await copyUp(source, target.processPath).catch(async (cause) => {
        await empty(target.processPath);
        throw new Internal(`failed to copy-up into volume ${name}: ${cause.message}`, { cause });
      });
      this.#save({ ...volume, populating: false });
    });
  }

  async mount(name: string, user: VolumeUser, { again } = { again: false }): Promise<void> {
    const volume = this.get(name);
    await this.#inTurn(name, async () => {
      const mount = parseVolumeOptions(volume.options);
      if (mount) await mountVolume(mount, this.mountpoint(name));
      const users = this.#running.get(name) ?? new Set();
      this.#running.set(name, users);
      if (users.has(user.containerId)) return;
      users.add(user.containerId);
      if (again) return;
      this.#publish('mount', name, {
        container: user.containerId,
        destination: user.destination,
        propagation: user.propagation,
        'read/write': String(!user.readonly),
      });
    });
  }

  async unmount(name: string, containerId: string): Promise<void> {
    await this.#inTurn(name, async () => {
      const users = this.#running.get(name);
      if (!users?.delete(containerId)) return;
      if (users.size === 0) {
        this.#running.delete(name);
        await unmountVolume(this.mountpoint(name));
      }
      this.#publish('unmount', name, { container: containerId });
    });
  }

  async remove(name: string): Promise<void> {
    this.get(name);
    await this.#inTurn(name, async () => {
      const users = this.#usersOf(name);
      if (users.length > 0) throw new Conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
      await unmountVolume(this.mountpoint(name));
      const trash = join(this.#directory, trashPrefix + newId().slice(0, 16));
      // Somebody may have removed its files by hand.
      await rename(join(this.#directory, name), trash).catch(unlessMissing);
      this.#db.prepare('DELETE FROM volumes WHERE name = ?').run(name);
      await rm(trash, { recursive: true, force: true });
      this.#publish('destroy', name);
    });
  }

  /**
   * Makes a volume; an empty name makes an anonymous one, and one that is there is given back as it is.
   * Throws InvalidParameter for a name or an option that cannot be.
   */
  create(request: Pick<VolumeRecord, 'name' | 'labels' | 'options'>): Promise<VolumeRecord> {
    return this.#make(request, { loose: false });
  }

  async #make(
    request: Pick<VolumeRecord, 'name' | 'labels' | 'options'>,
    { loose }: { readonly loose: boolean },
  ): Promise<VolumeRecord> {
    const anonymous = request.name === '';
    const name = anonymous ? newId() : request.name;
    checkVolumeName(name);
    await checkOptions(name, request.options);
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
        ...(loose && { loose }),
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

  /** The volume's files while nobody may have mounted it. */
  async #shown({ name, options }: VolumeRecord): Promise<AsyncDisposable & { readonly path: string }> {
    const path = this.mountpoint(name);
    const mount = this.#running.has(name) ? null : parseVolumeOptions(options);
    if (mount) await mountVolume(mount, path);
    return { path, [Symbol.asyncDispose]: async () => (mount ? unmountVolume(path) : undefined) };
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(trashPrefix)) await rm(join(this.#directory, name), { recursive: true });
      // Made, and not recorded any more. What has content is left to its owner.
      else if (!this.#find(name)) await removeEmpty(join(this.#directory, name, '_data'));
    }
    for (const volume of this.list()) {
      const there = await stat(this.mountpoint(volume.name)).then(
        () => true,
        () => false,
      );
      if (!there || volume.loose) {
        this.#db.prepare('DELETE FROM volumes WHERE name = ?').run(volume.name);
        await rm(join(this.#directory, volume.name), { recursive: true, force: true });
      } else if (volume.populating) {
        const { populatingBelow, ...rest } = volume;
        using target = openBelow(this.mountpoint(volume.name), populatingBelow ?? '');
        if (target) await empty(target.processPath);
        this.#save({ ...rest, populating: false });
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

  #publish(action: string, name: string, more: Readonly<Record<string, string>> = {}): void {
    const attributes = { driver: 'local', ...more };
    this.#events.publish({ type: 'volume', action, actor: { id: name, attributes } });
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

/** What cannot be honoured is refused when the volume is made, not when it is first used. */
async function checkOptions(name: string, options: Readonly<Record<string, string>>): Promise<void> {
  try {
    const mount = parseVolumeOptions(options);
    if (mount && needsFileSystem(mount) && !(await hasFileSystem(mount.type)))
      throw new InvalidParameter(`this kernel has no file system "${mount.type}"`);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new InvalidParameter(`create ${name}: ${error.message}`, { cause: error });
  }
}

/** A directory in a volume, whose containers may change it meanwhile; null when there is none at the path. */
function openBelow(volume: string, path: string): OpenDirectory | null {
  using root = new ConfinedRoot(volume);
  try {
    // Not the root's own descriptor, which is closed here.
    using found = root.open(byteString(path));
    return found.child('.');
  } catch (error) {
    if (error instanceof NotFound || error instanceof InvalidParameter) return null;
    throw error;
  }
}

/** A directory with its parent, as far as they are empty. */
async function removeEmpty(directory: string): Promise<void> {
  for (const path of [directory, dirname(directory)]) await rmdir(path).catch(() => {});
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

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
