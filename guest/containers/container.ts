import { EventEmitter } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { Conflict, httpStatus, InvalidParameter, NotModified } from '../errors.ts';
import { JsonFileLog } from '../logs/json-file-log.ts';
import { parseLogOptions } from '../logs/log-options.ts';
import { mountRootfs } from '../runtime/mounted-rootfs.ts';
import type { RunningTask, TerminalSize } from '../runtime/runtime.ts';
import { canonicalRootfsPath } from '../runtime/spec/rootfs-file.ts';
import { RuntimeError } from '../runtime/start-error.ts';
import type { ContainerRecord } from './container-record.ts';
import { specOf } from './container-wish.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import { restartDelayMs, restarts } from './restart-policy.ts';
import { parseSignal } from './signals.ts';
import { denial, isLive, next, type Transition, type Wish } from './state.ts';
import { type AttachOptions, Stdio } from './stdio.ts';

const SIGKILL = 9;
const defaultStopSeconds = 10;

export interface WaitResult {
  readonly exitCode: number;
  readonly error: string;
}
export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

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
  record: ContainerRecord;
  readonly stdio = new Stdio();
  readonly log: JsonFileLog | null;
  readonly #deps: Dependencies;
  readonly #neighbours: Neighbours;
  readonly #onRemoved: (container: Container) => void;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #queue: Promise<unknown> = Promise.resolve();
  #run: Run | null = null;
  #restartTimer: NodeJS.Timeout | null = null;
  #lastDelayMs = 0;
  #removed = false;
  /** Aborted when the current run's log is complete. */
  #logEnd = new AbortController();

  constructor(
    record: ContainerRecord,
    deps: Dependencies,
    options: { readonly neighbours: Neighbours; readonly onRemoved: (container: Container) => void },
  ) {
    this.record = record;
    this.#deps = deps;
    this.#neighbours = options.neighbours;
    this.#onRemoved = options.onRemoved;
    const { Type, Config } = record.hostConfig.LogConfig;
    const log = parseLogOptions(Type, Config);
    this.log =
      log.driver === 'none' ? null : new JsonFileLog(join(this.directory, `${record.id}-json.log`), log);
    this.#logEnd.abort();
  }

  get id(): string {
    return this.record.id;
  }

  get directory(): string {
    return this.#deps.paths.container(this.record.id);
  }

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
      this.#change({ stoppedByHand: false, restartCount: 0 });
      await this.#start();
    });
  }

  /** Asks with the stop signal, and kills after `seconds` (-1 = never). Resolves when it has settled. */
  stop(
    options: { readonly signal?: string | undefined; readonly seconds?: number | undefined } = {},
  ): Promise<void> {
    return this.#enqueue(async () => {
      this.check('stop');
      await this.#stop(options);
      this.#event('stop');
    });
  }

  restart(options: {
    readonly signal?: string | undefined;
    readonly seconds?: number | undefined;
  }): Promise<void> {
    return this.#enqueue(async () => {
      if (!denial(this.record.state, 'stop', this.record)) {
        await this.#stop(options);
        this.#event('stop');
      }
      this.#change({ stoppedByHand: false });
      await this.#start();
      this.#event('restart');
    });
  }

  /** Not queued: it must reach a container that is being stopped. With SIGKILL resolves when it is gone. */
  async kill(signalText = 'SIGKILL'): Promise<void> {
    const signal = parseSignal(signalText);
    this.check('kill');
    const run = this.#run;
    if (signal === SIGKILL || signal === parseSignal(this.#stopSignal()))
      this.#change({ stoppedByHand: true });
    if (this.record.state.status === 'restarting') {
      this.#cancelRestart();
      return;
    }
    if (!run?.task.kill(signal)) this.check('kill');
    this.#event('kill', { signal: `${signal}` });
    if (signal === SIGKILL) {
      if (this.record.state.status === 'paused') await this.#deps.runtime.unpause(this.id).catch(() => {});
      await run?.settled;
    }
  }

  pause(): Promise<void> {
    return this.#enqueue(async () => {
      this.check('pause');
      await this.#deps.runtime.pause(this.id);
      this.#transition({ type: 'paused' });
      this.#event('pause');
    });
  }

  unpause(): Promise<void> {
    return this.#enqueue(async () => {
      this.check('unpause');
      await this.#deps.runtime.unpause(this.id);
      this.#transition({ type: 'unpaused' });
      this.#event('unpause');
    });
  }

  rename(name: string): Promise<void> {
    return this.#enqueue(async () => {
      const oldName = `/${this.record.name}`;
      this.#change({ name });
      this.#event('rename', { oldName });
    });
  }

  remove(options: { readonly force: boolean; readonly volumes: boolean }): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#removed) return;
      if (!options.force) this.check('remove');
      this.#change({ stoppedByHand: true });
      this.#cancelRestart();
      if (isLive(this.record.state)) await this.kill();
      await this.#run?.settled;
      await this.#remove(options.volumes);
    });
  }

  async resize(size: TerminalSize): Promise<void> {
    this.check('exec');
    await this.#run?.task.resize(size);
    this.#event('resize', { height: `${size.rows}`, width: `${size.columns}` });
  }

  attach(connection: Duplex, options: Omit<AttachOptions, 'onDetach' | 'terminal' | 'closeStdin'>): void {
    const { Tty, StdinOnce, OpenStdin } = this.record.config;
    this.stdio.attach(connection, {
      ...options,
      stdin: options.stdin && OpenStdin,
      terminal: Tty,
      closeStdin: StdinOnce && !Tty,
      onDetach: () => this.#event('detach'),
    });
    this.#event('attach');
  }

  /** Resolves when the condition holds; rejects with the signal's reason. */
  async wait(condition: WaitCondition, signal: AbortSignal): Promise<WaitResult> {
    const { state } = this.record;
    const over =
      condition === 'removed' ? this.#removed : state.status === 'created' || state.status === 'exited';
    if (condition !== 'next-exit' && over && condition !== 'removed') return this.#lastExit();
    if (condition === 'removed' && this.#removed) return this.#lastExit();
    return new Promise((resolve, reject) => {
      const event = condition === 'removed' ? 'removed' : 'exited';
      const done = (result: WaitResult) => {
        this.#changes.off(event, done);
        this.#changes.off('removed', done);
        signal.removeEventListener('abort', gone);
        resolve(result);
      };
      const gone = () => {
        this.#changes.off(event, done);
        this.#changes.off('removed', done);
        reject(signal.reason);
      };
      this.#changes.on(event, done);
      if (event !== 'removed') this.#changes.on('removed', done);
      signal.addEventListener('abort', gone);
    });
  }

  /**
   * At the start of the engine: finds the process again, or learns that it has ended (a reboot: 255).
   * Returns whether the container runs. The restart policy is applied by {@link resume}, later.
   */
  async restore(): Promise<boolean> {
    const { config, state } = this.record;
    if (!isLive(state)) return false;
    const task = await this.#deps.runtime.reattach(this.id, {
      terminal: config.Tty,
      openStdin: config.OpenStdin,
    });
    if (task) {
      this.#follow(task);
      return true;
    }
    await this.#deps.runtime.remove(this.id);
    this.#transition({
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
    const policy = hostConfig.RestartPolicy;
    const wanted =
      state.status === 'restarting' ||
      (state.status === 'exited' &&
        !stoppedByHand &&
        restarts(policy, { exitCode: state.exitCode, restartCount: this.record.restartCount }));
    if (wanted) await this.#enqueue(() => this.#start());
  }

  /** The computer goes down: stopped, but not by the user's wish, so its policy starts it again. */
  async shutDown(): Promise<void> {
    await this.#enqueue(async () => {
      const { stoppedByHand } = this.record;
      await this.#stop({});
      this.#change({ stoppedByHand });
    });
  }

  /** Lets go without touching the container: the engine ends. */
  leave(): void {
    if (this.#restartTimer) clearTimeout(this.#restartTimer);
  }

  /** For events of exec sessions and the like. */
  publish(action: string, attributes: Readonly<Record<string, string>> = {}): void {
    this.#event(action, attributes);
  }

  async #start(): Promise<void> {
    await this.#run?.settled;
    const { record } = this;
    try {
      await this.#prepareMounts();
      const sandbox = await this.#connect();
      const spec = specOf(record, this.#deps, { namespace: sandbox.namespace, neighbours: this.#neighbours });
      const task = await this.#deps.runtime.start({
        id: record.id,
        spec,
        rootfs: this.#deps.snapshotter.mount(record.id),
        openStdin: record.config.OpenStdin,
      });
      this.#transition({ type: 'started', pid: task.pid, startedAt: task.startedAt.toISOString() });
      this.#follow(task);
      this.#event('start');
    } catch (error) {
      await this.#startFailed(error);
      throw error;
    }
  }

  async #startFailed(error: unknown): Promise<void> {
    await this.#deps.networks.releaseSandbox(this.id);
    const message = error instanceof Error ? error.message : String(error);
    const exitCode = error instanceof RuntimeError ? error.exitCode : httpStatus(error) === 500 ? 128 : 1;
    this.#transition({ type: 'startFailed', exitCode, error: message, at: new Date().toISOString() });
    this.stdio.end();
    // The start's own answer tells why; a waiting client is told the code alone.
    this.#changes.emit('exited', { exitCode, error: '' });
    if (this.record.hostConfig.AutoRemove) await this.#remove(true);
  }

  #connect() {
    const { config, hostConfig, name, id, endpoints } = this.record;
    const mode = hostConfig.NetworkMode || 'default';
    const joined = mode.startsWith('container:')
      ? this.#neighbours.runningPid(mode.slice('container:'.length))
      : null;
    return this.#deps.networks.connectSandbox({
      containerId: id,
      containerName: name,
      hostname: config.Hostname,
      ...(config.Domainname ? { domainname: config.Domainname } : {}),
      mode: config.NetworkDisabled ? 'none' : mode,
      ...(joined ? { joined: { containerId: joined.id, pid: joined.pid } } : {}),
      endpoints,
      portBindings: hostConfig.PortBindings as Readonly<
        Record<string, readonly { HostIp?: string; HostPort?: string }[] | null>
      >,
      exposedPorts: config.ExposedPorts,
      publishAllPorts: hostConfig.PublishAllPorts,
      dns: {
        servers: hostConfig.Dns ?? [],
        search: hostConfig.DnsSearch ?? [],
        options: hostConfig.DnsOptions ?? [],
      },
      extraHosts: hostConfig.ExtraHosts ?? [],
      directory: this.directory,
    });
  }

  async #prepareMounts(): Promise<void> {
    for (const mount of this.record.mounts.filter(({ type }) => type === 'bind')) {
      if (existsSync(mount.source)) continue;
      if (mount.createSource) mkdirSync(mount.source, { recursive: true });
      else {
        throw new InvalidParameter(
          `invalid mount config for type "bind": bind source path does not exist: ${mount.source}`,
        );
      }
    }
    const volumes = this.record.mounts.filter(({ copyUp }) => copyUp);
    if (volumes.length === 0 || this.record.state.status !== 'created') return;
    const rootfs = this.#deps.snapshotter.mount(this.id);
    const filled = volumes.flatMap(({ name, destination }) => {
      const path = canonicalRootfsPath(rootfs, destination);
      return path === null ? [] : [{ name, path }];
    });
    if (filled.length === 0) return;
    await using mounted = await mountRootfs(rootfs, join(this.#deps.paths.run(this.id), 'copy-up'));
    for (const { name, path } of filled) await this.#deps.volumes.populate(name, join(mounted.path, path));
  }

  /** The run is ours to watch from here on. */
  #follow(task: RunningTask): void {
    this.#logEnd = new AbortController();
    const output = this.stdio.run(task, (name, chunk) => this.log?.write(name, chunk));
    const settled = this.#settle(task, output).catch((error: unknown) =>
      this.#deps.log.error({ container: this.id, error }, 'cannot settle a container that has exited'),
    );
    this.#run = { task, settled };
  }

  async #settle(task: RunningTask, output: Promise<void>): Promise<void> {
    const { exitCode, oomKilled, finishedAt } = await task.exited;
    await output;
    this.log?.end();
    await task.release();
    await this.#deps.runtime.remove(this.id);
    await this.#deps.networks.releaseSandbox(this.id);
    this.#run = null;
    const ranMs = finishedAt.getTime() - task.startedAt.getTime();
    const { hostConfig, restartCount, stoppedByHand } = this.record;
    const again =
      !this.#removed && !stoppedByHand && restarts(hostConfig.RestartPolicy, { exitCode, restartCount });
    this.#transition({ type: 'exited', exitCode, oomKilled, at: finishedAt.toISOString(), restarts: again });
    if (oomKilled) this.#event('oom');
    this.#event('die', { exitCode: `${exitCode}`, execDuration: `${Math.max(0, Math.floor(ranMs / 1000))}` });
    this.#logEnd.abort();
    this.#changes.emit('exited', { exitCode, error: '' });
    if (again) this.#scheduleRestart(ranMs);
    else if (hostConfig.AutoRemove)
      void this.remove({ force: false, volumes: true }).catch((error: unknown) =>
        this.#deps.log.error({ container: this.id, error }, 'cannot remove a container that has exited'),
      );
  }

  #scheduleRestart(ranMs: number): void {
    this.#lastDelayMs = restartDelayMs(this.#lastDelayMs, ranMs);
    this.#restartTimer = setTimeout(() => {
      this.#restartTimer = null;
      void this.#enqueue(async () => {
        if (this.record.state.status !== 'restarting') return;
        this.#change({ restartCount: this.record.restartCount + 1 });
        await this.#start();
      }).catch((error: unknown) =>
        this.#deps.log.warn({ container: this.id, error }, 'cannot restart a container'),
      );
    }, this.#lastDelayMs);
  }

  #cancelRestart(): void {
    if (this.#restartTimer) clearTimeout(this.#restartTimer);
    this.#restartTimer = null;
    if (this.record.state.status !== 'restarting') return;
    this.#transition({ type: 'restartCancelled' });
    this.#changes.emit('exited', this.#lastExit());
  }

  async #stop(options: {
    readonly signal?: string | undefined;
    readonly seconds?: number | undefined;
  }): Promise<void> {
    const signal = parseSignal(options.signal ?? this.#stopSignal());
    this.#change({ stoppedByHand: true });
    this.#cancelRestart();
    const run = this.#run;
    if (!run) return;
    const seconds = options.seconds ?? this.record.config.StopTimeout ?? defaultStopSeconds;
    if (this.record.state.status === 'paused') {
      await this.#deps.runtime.unpause(this.id);
      this.#transition({ type: 'unpaused' });
    }
    run.task.kill(signal);
    this.#event('kill', { signal: `${signal}` });
    if (await settledWithin(run.settled, seconds)) return;
    run.task.kill(SIGKILL);
    this.#event('kill', { signal: `${SIGKILL}` });
    await run.settled;
  }

  #stopSignal(): string {
    return this.record.config.StopSignal || 'SIGTERM';
  }

  async #remove(volumes: boolean): Promise<void> {
    const { id } = this.record;
    await this.#deps.runtime.remove(id);
    await this.#deps.networks.releaseSandbox(id);
    await this.#deps.snapshotter.remove(id);
    // What a crash leaves from here on is a container without files, which can be removed again.
    this.#deps.store.delete(id);
    this.#removed = true;
    this.#onRemoved(this);
    this.log?.end();
    rmSync(this.directory, { recursive: true, force: true });
    if (volumes) {
      for (const { name } of this.record.mounts.filter(({ anonymous }) => anonymous)) {
        await this.#deps.volumes.remove(name).catch((error: unknown) => {
          // Another container has taken it up by its name.
          if (!(error instanceof Conflict)) throw error;
        });
      }
    }
    this.#event('destroy');
    this.stdio.end();
    this.#changes.emit('removed', { ...this.#lastExit(), error: '' });
  }

  #lastExit(): WaitResult {
    const { state } = this.record;
    return 'exitCode' in state
      ? { exitCode: state.exitCode, error: state.error }
      : { exitCode: 0, error: '' };
  }

  #transition(event: Transition): void {
    this.#change({ state: next(this.record.state, event) });
  }

  /** Durable before anybody is told. */
  #change(change: Partial<ContainerRecord>): void {
    const record = { ...this.record, ...change };
    if (JSON.stringify(record) === JSON.stringify(this.record)) return;
    if (!this.#removed) this.#deps.store.put(record);
    this.record = record;
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch((error: unknown) => {
      if (error instanceof NotModified) return;
    });
    return result;
  }

  #event(action: string, attributes: Readonly<Record<string, string>> = {}): void {
    const { id, name, config } = this.record;
    this.#deps.events.publish({
      type: 'container',
      action,
      actor: { id, attributes: { ...config.Labels, image: config.Image, name, ...attributes } },
    });
  }
}

/** Negative seconds = without end. */
async function settledWithin(settled: Promise<void>, seconds: number): Promise<boolean> {
  if (seconds < 0) {
    await settled;
    return true;
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), seconds * 1000);
  });
  try {
    return await Promise.race([settled.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
