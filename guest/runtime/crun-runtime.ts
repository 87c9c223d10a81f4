import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run, tryRun } from '../host/exec.ts';
import { mountTable } from '../host/mount-table.ts';
import type { Mount } from '../layers/snapshotter.ts';
import type { EnginePaths } from '../store/paths.ts';
import type { CgroupLocation } from './cgroup-location.ts';
import { segmentBytes } from './drain-keeper.ts';
import { FifoSets } from './fifo-sets.ts';
import { monitorArguments } from './monitor.ts';
import { MonitoredTask } from './monitored-task.ts';
import { identify, killGroup, signalProcess } from './process-identity.ts';
import { RunDirectory } from './run-directory.ts';
import type { ExecRequest, OutputPosition, RunningTask, Runtime, StartRequest } from './runtime.ts';
import { SeccompFilters } from './seccomp-filters.ts';
import { isLateExecFailure, startError } from './start-error.ts';
import { Starter } from './starter.ts';

/** Marks a session that ends with the engine. */
const mortal = 'mortal';

/** For a session to end after its container; who does not is not waited for. */
const sessionEndMs = 2000;

/** From crun's word that a container has started to the program's execve: some milliseconds, more on a busy computer. */
const executionMs = 10_000;

interface Launch {
  readonly directory: RunDirectory;
  readonly verb: 'run' | 'exec';
  /** Mounts of its own are to be seen outside. */
  readonly shared: boolean;
  readonly containerId: string;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly rootfs: Mount | null;
  readonly command: string;
  readonly sharesProcesses: boolean;
  readonly doubtful: boolean;
  readonly oomScoreAdj?: number;
}

/** {@link Runtime} by crun, one monitor a task (monitor.ts). */
export class CrunRuntime implements Runtime {
  readonly #paths: EnginePaths;
  readonly #cgroups: CgroupLocation;
  /** Sessions that were started here, and so are followed. */
  readonly #execs = new Map<string, Promise<unknown>>();
  readonly #fifos: FifoSets;
  readonly #starter: Starter;
  readonly #filters = new SeccompFilters();

  constructor(paths: EnginePaths, cgroups: CgroupLocation) {
    this.#paths = paths;
    this.#cgroups = cgroups;
    this.#fifos = new FifoSets(paths.fifos);
    this.#starter = new Starter(paths.starter, this.#fifos);
    mkdirSync(paths.crun, { recursive: true, mode: 0o700 });
  }

  async start({ id, spec, rootfs, openStdin, doubtful = false }: StartRequest): Promise<RunningTask> {
    await Promise.all([this.remove(id), this.#starter.ready()]);
    const directory = new RunDirectory(this.#paths.run(id));
    const shared = spec.linux.rootfsPropagation === 'shared';
    mkdirSync(directory.path, { recursive: true, mode: 0o700 });
    if (shared) symlinkSync(relative(directory.path, await this.#privatePlace(id)), directory.file('rootfs'));
    else mkdirSync(directory.file('rootfs'), { mode: 0o700 });
    writeFileSync(directory.file('config.json'), JSON.stringify(this.#filters.replace(spec)), {
      mode: 0o600,
    });
    const { terminal, args } = spec.process;
    const launch: Launch = {
      directory,
      verb: 'run',
      shared,
      containerId: id,
      terminal,
      openStdin,
      rootfs,
      command: args[0] ?? '',
      sharesProcesses: !spec.linux.namespaces.some(({ type, path }) => type === 'pid' && path === undefined),
      doubtful,
    };
    try {
      const task = await this.#launch(launch);
      this.#filters.learn(spec, join(this.#paths.crun, id, 'seccomp.bpf'));
      return task;
    } catch (error) {
      await this.remove(id);
      throw error;
    }
  }

  async exec(id: string, { execId, process, openStdin, endsWithEngine }: ExecRequest): Promise<RunningTask> {
    const directory = new RunDirectory(join(this.#paths.run(id), 'exec', execId));
    mkdirSync(directory.path, { recursive: true, mode: 0o700 });
    writeFileSync(directory.file('process.json'), JSON.stringify(process), { mode: 0o600 });
    if (endsWithEngine) writeFileSync(directory.file(mortal), '');
    const task = await this.#launch({
      directory,
      verb: 'exec',
      shared: false,
      containerId: id,
      terminal: process.terminal,
      openStdin,
      rootfs: null,
      command: process.args[0] ?? '',
      sharesProcesses: false,
      doubtful: false,
      ...(process.oomScoreAdj === undefined ? {} : { oomScoreAdj: process.oomScoreAdj }),
    });
    const ended = task.exited.then(() => this.#execs.delete(execId));
    this.#execs.set(execId, ended);
    return task;
  }

  async reattach(
    id: string,
    options: { terminal: boolean; openStdin: boolean; from: OutputPosition },
  ): Promise<RunningTask | null> {
    const directory = new RunDirectory(this.#paths.run(id));
    const { monitor } = directory;
    if (!monitor) return null;
    if (directory.pid === null && directory.exit === null) {
      // The agent died while the container was being started: nobody was told that it runs.
      await this.remove(id);
      return null;
    }
    if (directory.pid === null) return null;
    await this.#starter.ready();
    for (const execId of list(directory.file('exec'))) this.#endExec(join(directory.path, 'exec', execId));
    return this.#task(directory, id, options);
  }

  async pause(id: string): Promise<void> {
    await run('crun', ['--root', this.#paths.crun, 'pause', id]);
  }

  async unpause(id: string): Promise<void> {
    await run('crun', ['--root', this.#paths.crun, 'resume', id]);
  }

  async update(id: string, resources: Readonly<Record<string, unknown>>): Promise<void> {
    const file = join(this.#paths.run(id), 'resources.json');
    writeFileSync(file, JSON.stringify(resources), { mode: 0o600 });
    await run('crun', ['--root', this.#paths.crun, 'update', '--resources', file, id]);
  }

  /** Containers run on. */
  async close(): Promise<void> {
    await this.#starter.close();
  }

  async remove(id: string): Promise<void> {
    const directory = new RunDirectory(this.#paths.run(id));
    const { monitor } = directory;
    // Usually all is gone already: crun removes its state when the container exits.
    if (list(this.#paths.crun).includes(id)) {
      await tryRun('crun', ['--root', this.#paths.crun, 'delete', '--force', id]);
    }
    if (monitor) signalProcess(monitor, 9);
    await this.#endMonitors(directory);
    rmSync(directory.path, { recursive: true, force: true });
    rmSync(join(this.#paths.privateRoots, id), { recursive: true, force: true });
    this.#cgroups.remove(id);
  }

  async #launch(launch: Launch): Promise<RunningTask> {
    const { directory } = launch;
    await this.#fifos.take(directory.io);
    const monitor = this.#starter.start(
      launch.shared ? 'shared-run' : launch.verb,
      join(directory.io, 'alive'),
      [...(launch.shared ? [this.#paths.privateRoots] : []), ...this.#arguments(launch)],
    );
    const failed = new Promise<never>((_, reject) =>
      monitor.once('close', () => {
        directory.wake();
        reject(new Error("the container's monitor ended before it started"));
      }),
    );
    // After the start nobody waits for this any more.
    failed.catch(() => {});
    try {
      const started = await Promise.race([
        directory.until(() => (directory.exit && directory.pid === null ? 'failed' : directory.pid)),
        failed,
      ]);
      if (started === 'failed') throw startError(directory.text('log'), launch.command, launch.verb);
      const from = launch.verb === 'run' ? { stdout: 0, stderr: 0 } : null;
      const task = this.#task(directory, launch.containerId, { ...launch, from });
      if (launch.doubtful) await whenExecuted(started);
      if (!identify(started)) await rejectLateFailure(task, launch);
      return task;
    } catch (error) {
      directory.close();
      const identity = directory.monitor;
      if (identity) signalProcess(identity, 9);
      rmSync(directory.path, { recursive: true, force: true });
      throw error;
    } finally {
      monitor.destroy();
    }
  }

  /** Where a root can be mounted unseen by other mount namespaces, even from one whose mounts they see. */
  async #privatePlace(id: string): Promise<string> {
    const parent = this.#paths.privateRoots;
    const place = join(parent, id);
    if (!mountTable().some(({ point }) => point === parent)) {
      mkdirSync(parent, { recursive: true, mode: 0o700 });
      await run('busybox', ['mount', '-o', 'bind', parent, parent]);
      await run('busybox', ['mount', '--make-private', parent]);
    }
    mkdirSync(place, { recursive: true, mode: 0o700 });
    return place;
  }

  #arguments({ directory, ...launch }: Launch): string[] {
    return monitorArguments({
      ...launch,
      directory: directory.path,
      crunRoot: this.#paths.crun,
      segmentBytes,
    });
  }

  #task(
    directory: RunDirectory,
    id: string,
    { terminal, openStdin, from }: { terminal: boolean; openStdin: boolean; from: OutputPosition | null },
  ): RunningTask {
    return new MonitoredTask(directory, directory.pid!, {
      terminal,
      openStdin,
      spool: from ? { from, starter: this.#starter } : null,
      startedAt: statSync(directory.file('pid')).mtime,
      oomKilled: () => this.#cgroups.oomKilled(id),
      ...(from && { endSessions: () => this.#endMonitors(directory) }),
    });
  }

  /** Of an engine that has ended. */
  #endExec(path: string): void {
    const directory = new RunDirectory(path);
    const { monitor, pid, exit } = directory;
    const ends = existsSync(directory.file(mortal));
    if (ends && pid !== null && exit === null) killGroup(pid);
    // A session that still runs goes on, its output unread, as with dockerd.
    if ((ends || exit) && monitor) signalProcess(monitor, 9);
  }

  /**
   * The container is gone, and with it its sessions, whose monitors say so a moment later. What they wrote, those who
   * follow them have in their own ends of the FIFOs.
   */
  async #endMonitors(container: RunDirectory): Promise<void> {
    const sessions = list(container.file('exec')).map(async (execId) => {
      const ended = this.#execs.get(execId);
      if (ended) await Promise.race([ended, delay(sessionEndMs, undefined, { ref: false })]);
      const { monitor } = new RunDirectory(join(container.path, 'exec', execId));
      if (monitor) signalProcess(monitor, 9);
    });
    await Promise.all(sessions);
  }
}

/** Resolves when a process is crun no more, but the container's program, or nothing. */
async function whenExecuted(pid: number): Promise<void> {
  const deadline = performance.now() + executionMs;
  while (identify(pid) && performance.now() < deadline) {
    // None for a moment when it ends.
    const [program = ''] = commandLine(pid).split('\0');
    if (program !== '' && basename(program) !== 'crun') return;
    await delay(10);
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** An execve that failed after crun had reported the start: see {@link isLateExecFailure}. */
async function rejectLateFailure(task: RunningTask, { command, verb }: Launch): Promise<void> {
  const { exitCode } = await task.exited;
  if (exitCode !== 1) return;
  const source = task.stderr ?? task.stdout;
  const chunk = await new Promise<Buffer | null>((resolve) => {
    const read = () => resolve(source.read() as Buffer | null);
    // It may be over already: then no event comes any more.
    if (source.closed) resolve(null);
    else if (source.readableLength > 0) read();
    else source.once('readable', read).once('close', () => resolve(null));
  });
  if (!chunk) return;
  if (isLateExecFailure(chunk.toString())) {
    await task.release();
    throw startError(chunk.toString(), command, verb);
  }
  source.unshift(chunk);
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
