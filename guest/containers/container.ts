import { rmSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { NotFound } from '../errors.ts';
import type { ContainerLog } from '../logs/container-log.ts';
import { forgetHost } from '../network/files/sandbox-files.ts';
import type { EndpointRequest } from '../network/network-manager.ts';
import type { RunningTask, TerminalSize } from '../runtime/runtime.ts';
import { limitResources } from '../runtime/spec/resources.ts';
import type { HostConfig } from '../schema/container.ts';
import { connectToNetwork, disconnectFromNetwork } from './change-networks.ts';
import type { ContainerRecord } from './container-record.ts';
import { limitsOf } from './container-wish.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import { discard, discardVolumes } from './discard.ts';
import { DurableRecord } from './durable-record.ts';
import { lastExit, type WaitCondition, type WaitResult } from './exits.ts';
import { withoutLink } from './links.ts';
import { liftPidsLimit } from './pids-limit.ts';
import { restarts } from './restart-policy.ts';
import { RestartTimer } from './restart-timer.ts';
import { type RunEnd, Runs } from './runs.ts';
import { parseSignal } from './signals.ts';
import { denial, isLive, type Wish } from './state.ts';
import type { AttachOptions } from './stdio.ts';
import { type StopOptions, stopRun, stopSignal } from './stop-run.ts';
import { withinSeconds } from './within-seconds.ts';

const SIGKILL = 9;

/**
 * One container and its only owner. What changes it goes through one queue, in the order asked; what must
 * be able to overtake (kill, attach, wait, resize) does not. The end of a run settles beside the queue,
 * since `stop` waits for it.
 */
export class Container {
  readonly #record: DurableRecord;
  readonly #runs: Runs;
  readonly #deps: Dependencies;
  readonly #surroundings: { readonly deps: Dependencies; readonly neighbours: Neighbours };
  readonly #onRemoved: (container: Container) => void;
  readonly #restart = new RestartTimer();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    record: ContainerRecord,
    deps: Dependencies,
    options: { readonly neighbours: Neighbours; readonly onRemoved: (container: Container) => void },
  ) {
    this.#record = new DurableRecord(record, deps);
    this.#deps = deps;
    this.#surroundings = { deps, neighbours: options.neighbours };
    this.#onRemoved = options.onRemoved;
    this.#runs = new Runs(this.#record, deps, {
      neighbours: options.neighbours,
      onEnd: (end) => this.#ended(end),
    });
  }

  get record(): ContainerRecord {
    return this.#record.value;
  }

  get id(): string {
    return this.record.id;
  }

  /** It is removed; who still holds it is late. */
  get deleted(): boolean {
    return this.#record.deleted;
  }

  get directory(): string {
    return this.#deps.paths.container(this.record.id);
  }

  get log(): ContainerLog | null {
    return this.#runs.log;
  }

  /** Null while nothing runs; a task that has ended is given until all that follows is done. */
  get task(): RunningTask | null {
    return this.#runs.task;
  }

  get logEnded(): AbortSignal {
    return this.#runs.logEnded;
  }

  /** Throws dockerd's error when the state forbids it; `name` is what the client calls it. */
  check(wish: Wish, name = this.record.name): void {
    const reason = denial(this.record.state, wish, { id: this.id, name });
    if (reason) throw reason;
  }

  start(): Promise<void> {
    return this.#enqueue(async () => {
      this.check('start');
      this.#cancelRestart();
      this.#record.change({ stoppedByHand: false, restartCount: 0 });
      await this.#start();
    });
  }

  /** Asks with the stop signal, and kills after `seconds` (-1 = never). Resolves when it has settled. */
  stop(options: StopOptions): Promise<void> {
    return this.#enqueue(async () => {
      this.check('stop');
      await this.#stop(options);
      this.#record.publish('stop');
    });
  }

  restart(options: StopOptions): Promise<void> {
    return this.#enqueue(async () => {
      if (!denial(this.record.state, 'stop', this.record)) {
        await this.#stop(options);
        this.#record.publish('stop');
      }
      this.#record.change({ stoppedByHand: false });
      await this.#start();
      this.#record.publish('restart');
    });
  }

  /** Not queued: it must reach a container that is being stopped. With SIGKILL resolves when it is gone. */
  async kill(signalText = 'SIGKILL'): Promise<void> {
    const signal = parseSignal(signalText);
    this.check('kill');
    const { task, settled } = this.#runs;
    if (signal === SIGKILL || signal === stopSignal(this.#record))
      this.#record.change({ stoppedByHand: true });
    if (this.record.state.status === 'restarting') {
      this.#cancelRestart();
      return;
    }
    if (!task?.kill(signal)) this.check('kill');
    this.#record.publish('kill', { signal: `${signal}` });
    if (signal === SIGKILL) {
      if (this.record.state.status === 'paused') await this.#deps.runtime.unpause(this.id).catch(() => {});
      await settled;
    }
  }

  pause(): Promise<void> {
    return this.#enqueue(async () => {
      this.check('pause');
      try {
        await this.#deps.runtime.pause(this.id);
      } catch (error) {
        // It may have ended, which its record will say in a moment.
        await withinSeconds(this.#runs.settled, 1);
        this.check('pause');
        throw error;
      }
      // The probe that runs is frozen too: nobody waits for it.
      void this.#runs.health.stop();
      this.#record.transition({ type: 'paused' });
      this.#record.publish('pause');
    });
  }

  unpause(): Promise<void> {
    return this.#enqueue(async () => {
      this.check('unpause');
      await this.#deps.runtime.unpause(this.id);
      this.#record.transition({ type: 'unpaused' });
      const { state } = this.record;
      if (isLive(state)) this.#runs.health.resume(state.startedAt);
      this.#record.publish('unpause');
    });
  }

  /** Limits of a running container change at once, its restart policy counts from its next exit on. */
  update(change: (record: ContainerRecord) => HostConfig): Promise<void> {
    return this.#enqueue(async () => {
      const hostConfig = change(this.record);
      if (isLive(this.record.state)) {
        await this.#deps.runtime.update(this.id, limitResources(limitsOf({ hostConfig }, this.#deps.host)));
        if ((hostConfig.PidsLimit ?? 0) <= 0) liftPidsLimit(this.#deps.cgroups.directory(this.id, 'pids'));
      }
      this.#record.change({ hostConfig });
      this.#record.publish('update');
    });
  }

  /** `docker rm --link`: a container that runs does not find the other by that name any more. Throws NotFound. */
  unlink(alias: string): Promise<void> {
    return this.#enqueue(async () => {
      this.#record.change({ hostConfig: withoutLink(this.record, alias) });
      await forgetHost(this.#deps.paths.container(this.id), alias);
    });
  }

  connectNetwork(network: string, asked: EndpointRequest): Promise<void> {
    return this.#enqueue(() => connectToNetwork(this.#record, { network, asked }, this.#surroundings));
  }

  disconnectNetwork(network: string): Promise<void> {
    return this.#enqueue(() => disconnectFromNetwork(this.#record, network, this.#surroundings));
  }

  /** Keeps every change waiting until it is disposed of. Throws NotFound when the container is gone. */
  hold(): Promise<Disposable> {
    return new Promise((resolve, reject) => {
      void this.#enqueue(async () => {
        if (this.#record.deleted) reject(new NotFound(`No such container: ${this.id}`));
        else await new Promise<void>((release) => resolve({ [Symbol.dispose]: release }));
      });
    });
  }

  rename(name: string): Promise<void> {
    return this.#enqueue(async () => {
      const oldName = `/${this.record.name}`;
      this.#record.change({ name });
      this.#deps.networks.renameContainer(this.id, name);
      this.#record.publish('rename', { oldName });
    });
  }

  remove(options: { readonly force: boolean; readonly volumes: boolean }): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#record.deleted) return;
      if (!options.force) this.check('remove');
      this.#record.change({ stoppedByHand: true });
      this.#cancelRestart();
      if (isLive(this.record.state)) await this.kill();
      await this.#runs.settled;
      await this.#remove(options.volumes);
    });
  }

  async resize(size: TerminalSize): Promise<void> {
    this.check('exec');
    await this.#runs.task?.resize(size);
    this.#record.publish('resize', { height: `${size.rows}`, width: `${size.columns}` });
  }

  /** `past` goes first. */
  attach(
    connection: Duplex,
    options: Omit<AttachOptions, 'onDetach' | 'terminal' | 'closeStdin'>,
    past?: AsyncIterable<Buffer>,
  ): void {
    const { Tty, StdinOnce, OpenStdin } = this.record.config;
    const wish = {
      ...options,
      stdin: options.stdin && OpenStdin,
      terminal: Tty,
      closeStdin: StdinOnce && !Tty,
      onDetach: () => this.#record.publish('detach'),
    };
    this.#runs.stdio.attach(connection, wish, past);
    this.#record.publish('attach');
  }

  /** Resolves when the condition holds; rejects with the signal's reason. */
  async wait(condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    const { state } = this.record;
    const over = state.status === 'created' || state.status === 'exited';
    if (this.#record.deleted || (condition === 'not-running' && over)) return lastExit(state);
    return this.#runs.exits.next(condition === 'removed' ? 'removed' : 'exited', signal);
  }

  /** At the start of the engine. Returns whether it runs; the restart policy is applied by {@link resume}, later. */
  restore(): Promise<boolean> {
    return this.#runs.restore();
  }

  /** Once all containers are known: starts it if its policy says so, and removes what `--rm` left. */
  async resume(): Promise<void> {
    const { hostConfig, state, stoppedByHand } = this.record;
    if (isLive(state)) return;
    if (hostConfig.AutoRemove && state.status !== 'created')
      return this.remove({ force: true, volumes: true });
    if (state.status === 'created') return;
    const { exitCode } = state;
    const again = restarts(hostConfig.RestartPolicy, { exitCode, restartCount: this.record.restartCount });
    const wanted = hostConfig.RestartPolicy.Name === 'always' || !stoppedByHand;
    if (state.status === 'restarting' || (again && wanted)) await this.#enqueue(() => this.#start());
  }

  /** The computer goes down: stopped, but not by the user's wish, so its policy starts it again. */
  async shutDown(): Promise<void> {
    await this.#enqueue(async () => {
      const { stoppedByHand } = this.record;
      await this.#stop({});
      this.#record.change({ stoppedByHand });
    });
  }

  /** Lets go without touching the container: the engine ends. */
  leave(): void {
    this.#restart.cancel();
    this.#runs.health.leave();
  }

  /** For events of exec sessions and the like. */
  publish(action: string, attributes: Readonly<Record<string, string>> = {}): void {
    this.#record.publish(action, attributes);
  }

  async #start(): Promise<void> {
    try {
      await this.#runs.start();
    } catch (error) {
      if (this.record.hostConfig.AutoRemove) await this.#remove(true);
      throw error;
    }
  }

  #ended({ ranMs, again }: RunEnd): void {
    if (again) this.#scheduleRestart(ranMs);
    else if (this.record.hostConfig.AutoRemove)
      void this.remove({ force: false, volumes: true }).catch((error: unknown) =>
        this.#deps.log.error({ container: this.id, error }, 'cannot remove a container that has exited'),
      );
  }

  #scheduleRestart(ranMs: number): void {
    this.#restart.schedule(ranMs, () => {
      void this.#enqueue(async () => {
        if (this.record.state.status !== 'restarting') return;
        this.#record.change({ restartCount: this.record.restartCount + 1 });
        await this.#start();
      }).catch((error: unknown) =>
        this.#deps.log.warn({ container: this.id, error }, 'cannot restart a container'),
      );
    });
  }

  #cancelRestart(): void {
    this.#restart.cancel();
    if (this.record.state.status !== 'restarting') return;
    this.#record.transition({ type: 'restartCancelled' });
    this.#runs.exits.tell('exited', lastExit(this.record.state));
  }

  async #stop(options: StopOptions): Promise<void> {
    if (options.signal) parseSignal(options.signal);
    this.#record.change({ stoppedByHand: true });
    this.#cancelRestart();
    await stopRun({ record: this.#record, runs: this.#runs }, this.#deps, options);
  }

  async #remove(volumes: boolean): Promise<void> {
    await discard(this.id, this.#deps);
    // What a crash leaves from here on is a directory that no record names; the next start sweeps it.
    this.#record.delete();
    this.#onRemoved(this);
    this.log?.end();
    rmSync(this.directory, { recursive: true, force: true });
    if (volumes) await discardVolumes(this.record.mounts, this.#deps.volumes);
    this.#record.publish('destroy');
    this.#runs.stdio.end();
    this.#runs.exits.tell('removed', { ...lastExit(this.record.state), error: '' });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    // A failure is its asker's; the queue goes on.
    this.#queue = result.catch(() => {});
    return result;
  }
}
