import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../digest.ts';
import { Conflict, InvalidParameter, NotFound } from '../errors.ts';
import { newId } from '../ids.ts';
import type { CreateBody } from '../schema/container.ts';
import { Container } from './container.ts';
import { ContainerNames } from './container-names.ts';
import type { ContainerRecord } from './container-record.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import { discardUnmade, makeContainer } from './make-container.ts';
import { planContainer } from './plan-container.ts';
import { inStartOrder } from './start-order.ts';
import { isLive } from './state.ts';

/** All containers of an engine. */
export class Containers implements Neighbours {
  readonly #deps: Dependencies;
  readonly #byId = new Map<string, Container>();
  readonly #names = new ContainerNames();
  /** What containers need that are not recorded yet: nobody may remove it meanwhile. */
  readonly #making = new Map<string, Pick<ContainerRecord, 'imageId' | 'mounts'>>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
    for (const record of deps.store.all()) this.#add(record);
  }

  list(): Container[] {
    return [...this.#byId.values()];
  }

  find(reference: string): ContainerRecord | undefined {
    try {
      return this.recordOf(reference);
    } catch (error) {
      if (error instanceof NotFound || error instanceof InvalidParameter) return undefined;
      throw error;
    }
  }

  /** By id, name or a beginning of the id that only one has. Throws NotFound or InvalidParameter. */
  get(reference: string): Container {
    const name = reference.replace(/^\//, '');
    const exact = this.#byId.get(name) ?? this.#byId.get(this.#names.idOf(name) ?? '');
    if (exact) return exact;
    const found = /^[0-9a-f]+$/.test(name) ? this.list().filter(({ id }) => id.startsWith(name)) : [];
    if (found.length > 1) throw new InvalidParameter(`multiple IDs found with provided prefix: ${name}`);
    if (found.length === 0) throw new NotFound(`No such container: ${reference}`);
    return found[0]!;
  }

  liveRecords(): ContainerRecord[] {
    return this.list()
      .map(({ record }) => record)
      .filter(({ state }) => isLive(state));
  }

  recordOf(reference: string): ContainerRecord {
    return this.get(reference).record;
  }

  runningPid(reference: string): { id: string; pid: number } {
    const { record } = this.get(reference);
    if (!isLive(record.state))
      throw new Conflict(
        `cannot join a container that is not running: container ${record.id} is not running`,
      );
    return { id: record.id, pid: record.state.pid };
  }

  /** Durable when it resolves. Throws NotFound (image), Conflict (name) or InvalidParameter; then nothing is left. */
  async create(
    body: CreateBody,
    {
      name: wishedName,
      ...how
    }: {
      readonly name?: string | undefined;
      readonly platform?: string | undefined;
      readonly writableBelow?: boolean;
    },
  ): Promise<{ id: string; warnings: string[] }> {
    const plan = planContainer(body, how, { deps: this.#deps, neighbours: this });
    const id = newId();
    const name = this.#names.take(wishedName, id);
    const unmade = { id, name, mounts: [] };
    this.#making.set(id, { imageId: plan.image.id, mounts: unmade.mounts });
    try {
      for (const mount of plan.mounts) if (mount.type === 'bind') await this.#deps.bindSources.check(mount);
      const record = await makeContainer(plan, unmade, this.#deps);
      this.#add(record).publish('create');
    } catch (error) {
      this.#names.release(name);
      this.#making.delete(id);
      await discardUnmade(unmade, this.#deps);
      throw error;
    } finally {
      this.#making.delete(id);
    }
    return { id, warnings: [...plan.warnings] };
  }

  async rename(container: Container, wished: string): Promise<void> {
    if (wished === '') throw new InvalidParameter('Neither old nor new names may be empty');
    const old = container.record.name;
    if (wished.replace(/^\//, '') === old)
      throw new InvalidParameter('Renaming a container with the same name as its current name');
    const name = this.#names.take(wished, container.id);
    try {
      await container.rename(name);
      this.#names.release(old);
    } catch (error) {
      this.#names.release(name);
      throw error;
    }
  }

  /** Ids of containers that mount a volume, those included that are being made. */
  usersOfVolume(name: string): string[] {
    return this.#all()
      .filter(({ mounts }) => mounts.some((mount) => mount.type === 'volume' && mount.name === name))
      .map(({ id }) => id);
  }

  /** Containers of an image, those included that are being made. */
  usersOfImage(imageId: Digest): { readonly id: string; readonly running: boolean }[] {
    return this.#all()
      .filter(
        ({ mounts, ...user }) =>
          user.imageId === imageId || mounts.some(({ type, name }) => type === 'image' && name === imageId),
      )
      .map(({ id }) => ({ id, running: this.isRunning(id) }));
  }

  /** What containers that run bind, by the paths that were asked for. */
  boundSources(): string[] {
    return this.list()
      .filter(({ record }) => isLive(record.state))
      .flatMap(({ record }) => record.mounts.filter(({ type }) => type === 'bind'))
      .map(({ source }) => source);
  }

  isRunning(id: string): boolean {
    const container = this.#byId.get(id);
    return container !== undefined && isLive(container.record.state);
  }

  #all(): Pick<ContainerRecord, 'id' | 'imageId' | 'mounts'>[] {
    const making = [...this.#making].map(([id, needs]) => ({ id, ...needs }));
    return [...this.list().map(({ record }) => record), ...making];
  }

  /** Empty = the engine's own. */
  cgroupParentOf(id: string): string {
    return this.#byId.get(id)?.record.hostConfig.CgroupParent ?? '';
  }

  counts(): { running: number; paused: number; stopped: number } {
    const count = (...words: string[]) =>
      this.list().filter(({ record }) => words.includes(record.state.status)).length;
    return {
      running: count('running'),
      paused: count('paused'),
      stopped: count('created', 'exited', 'restarting'),
    };
  }

  /** Finds running containers again; resolves with their ids. Before anything else is asked of them. */
  async restore(): Promise<string[]> {
    await this.#sweep();
    const live = await Promise.all(
      this.list().map(async (container) => ((await container.restore()) ? container.id : null)),
    );
    return live.filter((id) => id !== null);
  }

  /** Once networks agree with {@link restore}: starts what its policy wants started. */
  async resume(): Promise<void> {
    for (const container of inStartOrder(this.list())) {
      await container
        .resume()
        .catch((error: unknown) =>
          this.#deps.log.warn({ container: container.id, error }, 'cannot resume a container'),
        );
    }
  }

  /** Before the computer goes down: all at once, each by its own signal and deadline. */
  async stopAll(): Promise<void> {
    await Promise.all(
      this.list()
        .filter(({ record }) => isLive(record.state) || record.state.status === 'restarting')
        .map((container) => container.shutDown()),
    );
  }

  /** The engine ends; containers go on. */
  leave(): void {
    for (const container of this.list()) container.leave();
  }

  #add(record: ContainerRecord): Container {
    const container = new Container(record, this.#deps, {
      neighbours: this,
      onRemoved: ({ record: { id, name } }) => {
        this.#byId.delete(id);
        this.#names.release(name);
      },
    });
    this.#byId.set(record.id, container);
    this.#names.set(record.name, record.id);
    return container;
  }

  /** What a crash has left of containers that no record names: the directory is what is made first. */
  async #sweep(): Promise<void> {
    const root = join(this.#deps.paths.dataRoot, 'containers');
    mkdirSync(root, { recursive: true, mode: 0o700 });
    for (const id of readdirSync(root).filter((name) => !this.#byId.has(name))) {
      await this.#deps.snapshotter.remove(id);
      rmSync(join(root, id), { recursive: true, force: true });
    }
  }
}
