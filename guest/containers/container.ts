import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { HostConfig } from '../api/schema/container.ts';
import { httpStatus, NotFound } from '../errors.ts';
import { JsonFileLog } from '../logs/json-file-log.ts';
import { parseLogOptions } from '../logs/log-options.ts';
import type { RunningTask, TerminalSize } from '../runtime/runtime.ts';
import { limitResources } from '../runtime/spec/resources.ts';
import { RuntimeError } from '../runtime/start-error.ts';
import type { ContainerRecord } from './container-record.ts';
import { limitsOf, specOf } from './container-wish.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import { discard, discardVolumes } from './discard.ts';
import { DurableRecord } from './durable-record.ts';
import { Exits, lastExit, type WaitCondition, type WaitResult } from './exits.ts';
import { prepareMounts } from './prepare-mounts.ts';
import { restarts } from './restart-policy.ts';
import { RestartTimer } from './restart-timer.ts';
import { sandboxRequest } from './sandbox-request.ts';
import { parseSignal } from './signals.ts';
import { denial, isLive, type Wish } from './state.ts';
import { type AttachOptions, Stdio } from './stdio.ts';
import { withinSeconds } from './within-seconds.ts';

const SIGKILL = 9;
const defaultStopSeconds = 10;

/** How `stop` asks: the container's own signal and patience unless others are given; -1 = never killed. */
export interface StopOptions {
  readonly signal?: string | undefined;
  readonly seconds?: number | undefined;
}

/** One run of the container: from the start of its process to the end of all that follows its exit. */
interface Run {
  readonly task: RunningTask;
  /** Resolves when output is drained, resources are given back and the new state is durable. */
  readonly settled: Promise<void>;
}

/**
 * One container and its only owner. What changes it goes through one queue, in the order asked; what must
 * be able to overtake (kill, attach, wait, resize) does not. The end of a run settles beside the queue,
 * since `stop` waits for it.
 */
export class Container {
  readonly log: JsonFileLog | null;
  readonly #record: DurableRecord;
  readonly #stdio = new Stdio();
  readonly #deps: Dependencies;
  readonly #neighbours: Neighbours;
  readonly #onRemoved: (container: Container) => void;
  readonly #exits = new Exits();
  readonly #restart = new RestartTimer();
  #queue: Promise<unknown> = Promise.resolve();
  #run: Run | null = null;
  /** Aborted when the current run's log is complete. */
  #logEnd = new AbortController();

  constructor(
    record: ContainerRecord,
    deps: Dependencies,
    options: { readonly neighbours: Neighbours; readonly onRemoved: (container: Container) => void },
  ) {
    this.#record = new DurableRecord(record, deps);
    this.#deps = deps;
    this.#neighbours = options.neighbours;
    this.#onRemoved = options.onRemoved;
    const { Type, Config } = record.hostConfig.LogConfig;
    const log = parseLogOptions(Type, Config);
    this.log =
      log.driver === 'none' ? null : new JsonFileLog(join(this.directory, `${record.id}-json.log`), log);
    this.#logEnd.abort();
  }

  get record(): ContainerRecord {
    return this.#record.value;
  }

  get id(): string {
    return this.record.id;
  }

  get directory(): string {
    return this.#deps.paths.container(this.record.id);
  }

  /** Null while nothing runs; a task that has ended is given until all that follows is done. */
  get task(): RunningTask | null {
    return this.#run?.task ?? null;
  }

  get logEnded(): AbortSignal {
    return this.#logEnd.signal;
  }

  /** Throws dockerd's error when the state forbids it. */
  check(wish: Wish): void {
    const reason = denial(this.record.state, wish, this.record);
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
    const run = this.#run;
    if (signal === SIGKILL || signal === parseSignal(this.#stopSignal()))
      this.#record.change({ stoppedByHand: true });
    if (this.record.state.status === 'restarting') {
      this.#cancelRestart();
      return;
    }
    if (!run?.task.kill(signal)) this.check('kill');
    this.#record.publish('kill', { signal: `${signal}` });
    if (signal === SIGKILL) {
      if (this.record.state.status === 'paused') await this.#deps.runtime.unpause(this.id).catch(() => {});
      await run?.settled;
    }
  }

  pause(): Promise<void> {
    return this.#enqueue(async () => {
      this.check('pause');
      await this.#deps.runtime.pause(this.id);
      this.#record.transition({ type: 'paused' });
      this.#record.publish('pause');
    });
  }

  unpause(): Promise<void> {
    return this.#enqueue(async () => {
      this.check('unpause');
      await this.#deps.runtime.unpause(this.id);
      this.#record.transition({ type: 'unpaused' });
      this.#record.publish('unpause');
    });
  }

  /** Limits of a running container change at once, its restart policy counts from its next exit on. */
  update(change: (record: ContainerRecord) => HostConfig): Promise<void> {
    return this.#enqueue(async () => {
      const hostConfig = change(this.record);
      if (isLive(this.record.state)) {
        await this.#deps.runtime.update(this.id, limitResources(limitsOf({ hostConfig })));
      }
      this.#record.change({ hostConfig });
      this.#record.publish('update');
    });
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
      await this.#run?.settled;
      await this.#remove(options.volumes);
    });
  }

  async resize(size: TerminalSize): Promise<void> {
    this.check('exec');
    await this.#run?.task.resize(size);
    this.#record.publish('resize', { height: `${size.rows}`, width: `${size.columns}` });
  }

  attach(connection: Duplex, options: Omit<AttachOptions, 'onDetach' | 'terminal' | 'closeStdin'>): void {
    const { Tty, StdinOnce, OpenStdin } = this.record.config;
    this.#stdio.attach(connection, {
      ...options,
      stdin: options.stdin && OpenStdin,
      terminal: Tty,
      closeStdin: StdinOnce && !Tty,
      onDetach: () => this.#record.publish('detach'),
    });
    this.#record.publish('attach');
  }

  /** Resolves when the condition holds; rejects with the signal's reason. */
  async wait(condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    const { state } = this.record;
    const over = state.status === 'created' || state.status === 'exited';
    if (this.#record.deleted || (condition === 'not-running' && over)) return lastExit(state);
    return this.#exits.next(condition === 'removed' ? 'removed' : 'exited', signal);
  }

  /**
   * At the start of the engine: finds the process again, or learns that it has ended (a reboot: 255).
   * Returns whether the container runs. The restart policy is applied by {@link resume}, later.
   */
  async restore(): Promise<boolean> {
    const { config, state } = this.record;
    if (!isLive(state)) {
      // What an agent started that died before it could say so.
      await this.#deps.runtime.remove(this.id);
      return false;
    }
    this.log?.recover();
    const task = await this.#deps.runtime.reattach(this.id, {
      terminal: config.Tty,
      openStdin: config.OpenStdin,
    });
    if (task) {
      this.#follow(task);
      return true;
    }
    this.log?.end();
    await this.#deps.runtime.remove(this.id);
    this.#record.transition({
      type: 'exited',
      exitCode: 255,
      oomKilled: false,
      at: new Date().toISOString(),
      restarts: false,
    });
    return false;
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
  }

  /** For events of exec sessions and the like. */
  publish(action: string, attributes: Readonly<Record<string, string>> = {}): void {
    this.#record.publish(action, attributes);
  }

  async #start(): Promise<void> {
    await this.#run?.settled;
    const { record } = this;
    try {
      await prepareMounts(record, this.#deps);
      const sandbox = await this.#deps.networks.connectSandbox(
        sandboxRequest(record, { neighbours: this.#neighbours, directory: this.directory }),
      );
      const spec = specOf(record, this.#deps, { namespace: sandbox.namespace, neighbours: this.#neighbours });
      const task = await this.#deps.runtime.start({
        id: record.id,
        spec,
        rootfs: this.#deps.snapshotter.mount(record.id),
        openStdin: record.config.OpenStdin,
      });
      this.#record.transition({ type: 'started', pid: task.pid, startedAt: task.startedAt.toISOString() });
      this.#follow(task);
      this.#record.publish('start');
    } catch (error) {
      await this.#startFailed(error);
      throw error;
    }
  }

  async #startFailed(error: unknown): Promise<void> {
    await this.#deps.networks.releaseSandbox(this.id);
    const message = error instanceof Error ? error.message : String(error);
    const exitCode = error instanceof RuntimeError ? error.exitCode : httpStatus(error) === 500 ? 128 : 1;
    this.#record.transition({ type: 'startFailed', exitCode, error: message, at: new Date().toISOString() });
    this.#stdio.end();
    // The start's own answer tells why; a waiting client is told the code alone.
    this.#exits.tell('exited', { exitCode, error: '' });
    if (this.record.hostConfig.AutoRemove) await this.#remove(true);
  }

  /** The run is ours to watch from here on. */
  #follow(task: RunningTask): void {
    this.#logEnd = new AbortController();
    const output = this.#stdio.run(task, (name, chunk) => this.log?.write(name, chunk));
    const settled = this.#settle(task, output).catch((error: unknown) =>
      this.#deps.log.error({ container: this.id, error }, 'cannot settle a container that has exited'),
    );
    this.#run = { task, settled };
  }

  async #settle(task: RunningTask, output: Promise<void>): Promise<void> {
    const { exitCode, oomKilled, finishedAt } = await task.exited;
    await output;
    this.#stdio.end();
    this.log?.end();
    await task.release();
    await this.#deps.runtime.remove(this.id);
    await this.#deps.networks.releaseSandbox(this.id);
    this.#run = null;
    const ranMs = finishedAt.getTime() - task.startedAt.getTime();
    const { hostConfig, restartCount, stoppedByHand } = this.record;
    const again =
      !this.#record.deleted &&
      !stoppedByHand &&
      restarts(hostConfig.RestartPolicy, { exitCode, restartCount });
    this.#record.transition({
      type: 'exited',
      exitCode,
      oomKilled,
      at: finishedAt.toISOString(),
      restarts: again,
    });
    if (oomKilled) this.#record.publish('oom');
    this.#record.publish('die', {
      exitCode: `${exitCode}`,
      execDuration: `${Math.max(0, Math.floor(ranMs / 1000))}`,
    });
    this.#logEnd.abort();
    this.#exits.tell('exited', { exitCode, error: '' });
    if (again) this.#scheduleRestart(ranMs);
    else if (hostConfig.AutoRemove)
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
    this.#exits.tell('exited', lastExit(this.record.state));
  }

  async #stop(options: StopOptions): Promise<void> {
    const signal = parseSignal(options.signal ?? this.#stopSignal());
    this.#record.change({ stoppedByHand: true });
    this.#cancelRestart();
    const run = this.#run;
    if (!run) return;
    const seconds = options.seconds ?? this.record.config.StopTimeout ?? defaultStopSeconds;
    if (this.record.state.status === 'paused') {
      await this.#deps.runtime.unpause(this.id);
      this.#record.transition({ type: 'unpaused' });
    }
    run.task.kill(signal);
    this.#record.publish('kill', { signal: `${signal}` });
    if (await withinSeconds(run.settled, seconds)) return;
    run.task.kill(SIGKILL);
    this.#record.publish('kill', { signal: `${SIGKILL}` });
    await run.settled;
  }

  #stopSignal(): string {
    return this.record.config.StopSignal || 'SIGTERM';
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
    this.#stdio.end();
    this.#exits.tell('removed', { ...lastExit(this.record.state), error: '' });
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    // A failure is its asker's; the queue goes on.
    this.#queue = result.catch(() => {});
    return result;
  }
}
