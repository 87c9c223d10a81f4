import type { Platform } from '../images/platform.ts';
import type { ContainerLog } from '../logs/container-log.ts';
import type { RunningTask } from '../runtime/runtime.ts';
import { RuntimeError } from '../runtime/start-error.ts';
import { unlessDiskFull } from '../store/disk-full.ts';
import { specOf } from './container-wish.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import type { DurableRecord } from './durable-record.ts';
import { Exits } from './exits.ts';
import { explainForeign, lacksEmulator } from './foreign-program.ts';
import { HealthKeeper } from './health/health-keeper.ts';
import { linkedContainers, tellLinking } from './links.ts';
import { openLog } from './logging.ts';
import { prepareMounts, releaseMounts, remountVolumes } from './prepare-mounts.ts';
import { restarts } from './restart-policy.ts';
import { sandboxRequest } from './sandbox-request.ts';
import { shareMemory, unshareMemory } from './shared-memory.ts';
import { isLive } from './state.ts';
import { Stdio } from './stdio.ts';

/** From the start of a container's process to the end of all that follows its exit. */
interface Run {
  readonly task: RunningTask;
  /** Resolves when output is drained, resources are given back and the new state is durable. */
  readonly settled: Promise<void>;
}

/** What the container has to see to when a run has ended. */
export interface RunEnd {
  readonly ranMs: number;
  /** The restart policy says so. */
  readonly again: boolean;
}

/**
 * The runs of one container, one after the other: starts its process, follows it, and settles its end, which
 * happens beside the container's queue, since `stop` waits for it there.
 */
export class Runs {
  readonly log: ContainerLog | null;
  readonly stdio = new Stdio();
  readonly exits = new Exits();
  readonly health: HealthKeeper;
  readonly #record: DurableRecord;
  readonly #deps: Dependencies;
  readonly #neighbours: Neighbours;
  readonly #onEnd: (end: RunEnd) => void;
  #run: Run | null = null;
  /** Aborted when the current run's log is complete. */
  #logEnd = new AbortController();

  constructor(
    record: DurableRecord,
    deps: Dependencies,
    options: { readonly neighbours: Neighbours; readonly onEnd: (end: RunEnd) => void },
  ) {
    this.#record = record;
    this.#deps = deps;
    this.#neighbours = options.neighbours;
    this.#onEnd = options.onEnd;
    this.health = new HealthKeeper(record, deps);
    this.log = openLog(record.value, deps.paths.container(record.value.id));
    this.#logEnd.abort();
  }

  /** Null while nothing runs; a task that has ended is given until all that follows is done. */
  get task(): RunningTask | null {
    return this.#run?.task ?? null;
  }

  /** Of the current run; resolves at once when there is none. */
  get settled(): Promise<void> {
    return this.#run?.settled ?? Promise.resolve();
  }

  get logEnded(): AbortSignal {
    return this.#logEnd.signal;
  }

  /** Resolves when the process runs. When it throws, the state says why and nothing is left. */
  async start(): Promise<void> {
    await this.settled;
    const neighbours = this.#neighbours;
    try {
      const linked = linkedContainers(this.#record.value, { neighbours, networks: this.#deps.networks });
      if (linked.env.length > 0) this.#record.change({ linkEnv: linked.env });
      const record = this.#record.value;
      const directory = this.#deps.paths.container(record.id);
      const sandbox = await this.#deps.networks.connectSandbox(
        sandboxRequest(record, { neighbours, directory, linkedHosts: linked.hosts }),
      );
      await prepareMounts(record, this.#deps);
      await shareMemory(record, this.#deps);
      const task = await this.#deps.runtime.start({
        id: record.id,
        spec: specOf(record, this.#deps, { namespace: sandbox.namespace, neighbours }),
        rootfs: this.#deps.snapshotter.mount(record.id),
        openStdin: record.config.OpenStdin,
        doubtful: lacksEmulator(this.#platform()),
      });
      const startedAt = task.startedAt.toISOString();
      this.#record.transition({ type: 'started', pid: task.pid, startedAt });
      unlessDiskFull(() => this.log?.begin(this.#deps.paths.logged(record.id)));
      this.#follow(task);
      this.#record.publish('start');
      this.health.begin(startedAt);
      await tellLinking(record, { neighbours, networks: this.#deps.networks, paths: this.#deps.paths });
    } catch (cause) {
      const error = explainForeign(cause, { platform: this.#platform(), host: this.#deps.host });
      await this.#startFailed(error);
      throw error;
    }
  }

  /**
   * At the start of the engine: finds the process again, or learns that it has ended (a reboot: 255).
   * Returns whether it runs.
   */
  async restore(): Promise<boolean> {
    const { id, config, state } = this.#record.value;
    if (!isLive(state)) {
      // What an agent started that died before it could say so.
      await this.#deps.runtime.remove(id);
      await releaseMounts(this.#record.value, this.#deps);
      await unshareMemory(this.#record.value, this.#deps);
      return false;
    }
    const from = this.log?.recover(this.#deps.paths.logged(id)) ?? { stdout: 0, stderr: 0 };
    const { Tty: terminal, OpenStdin: openStdin } = config;
    const task = await this.#deps.runtime.reattach(id, { terminal, openStdin, from });
    if (task) {
      await remountVolumes(this.#record.value, this.#deps);
      this.#follow(task);
      if (state.status === 'running') this.health.resume(state.startedAt);
      return true;
    }
    this.log?.end();
    await this.#deps.runtime.remove(id);
    await releaseMounts(this.#record.value, this.#deps);
    await unshareMemory(this.#record.value, this.#deps);
    const at = new Date().toISOString();
    this.#record.transition({ type: 'exited', exitCode: 255, oomKilled: false, at, restarts: false });
    return false;
  }

  /** Of its image; undefined when that is not here any more. */
  #platform(): Platform | undefined {
    try {
      return this.#deps.images.resolve(this.#record.value.imageId).config;
    } catch {
      return undefined;
    }
  }

  async #startFailed(error: unknown): Promise<void> {
    await this.#deps.networks.releaseSandbox(this.#record.value.id);
    await releaseMounts(this.#record.value, this.#deps);
    await unshareMemory(this.#record.value, this.#deps);
    const message = error instanceof Error ? error.message : String(error);
    // 128: nothing was run that could have said another, as with dockerd.
    const exitCode = error instanceof RuntimeError ? error.exitCode : 128;
    this.#record.transition({ type: 'startFailed', exitCode, error: message, at: new Date().toISOString() });
    this.stdio.end();
    // The start's own answer tells why; a waiting client is told the code alone.
    this.exits.tell('exited', { exitCode, error: '' });
  }

  /** The run is ours to watch from here on. */
  #follow(task: RunningTask): void {
    this.#logEnd = new AbortController();
    const output = this.stdio.run(task, (name, chunk) => {
      // The container runs on, and who is attached sees it.
      unlessDiskFull(() => this.log?.write(name, chunk));
      task.acknowledge(name, this.log?.saved[name] ?? Number.POSITIVE_INFINITY);
    });
    const settled = this.#settle(task, output).catch((error: unknown) =>
      this.#deps.log.error(
        { container: this.#record.value.id, error },
        'cannot settle a container that has exited',
      ),
    );
    this.#run = { task, settled };
  }

  async #settle(task: RunningTask, output: Promise<void>): Promise<void> {
    const { id } = this.#record.value;
    const { exitCode, oomKilled, finishedAt } = await task.exited;
    await this.health.stop();
    await output;
    this.stdio.end();
    unlessDiskFull(() => this.log?.end());
    const ranMs = finishedAt.getTime() - task.startedAt.getTime();
    const { hostConfig, restartCount, stoppedByHand } = this.#record.value;
    const again =
      !this.#record.deleted &&
      !stoppedByHand &&
      restarts(hostConfig.RestartPolicy, { exitCode, restartCount });
    const at = finishedAt.toISOString();
    // First of all: what is released does not tell any more how it ended.
    this.#record.transition({ type: 'exited', exitCode, oomKilled, at, restarts: again });
    await task.release();
    await this.#deps.runtime.remove(id);
    await this.#deps.networks.releaseSandbox(id);
    await releaseMounts(this.#record.value, this.#deps);
    await unshareMemory(this.#record.value, this.#deps);
    this.#run = null;
    if (oomKilled) this.#record.publish('oom');
    this.#record.publish('die', {
      exitCode: `${exitCode}`,
      execDuration: `${Math.max(0, Math.floor(ranMs / 1000))}`,
    });
    this.#logEnd.abort();
    this.exits.tell('exited', { exitCode, error: '' });
    this.#onEnd({ ranMs, again });
  }
}
