import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { Conflict } from '../errors.ts';
import { run } from '../host/exec.ts';
import { readFifo, touchFifo, writeFifo } from './fifo.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess } from './process-identity.ts';
import type { RunDirectory } from './run-directory.ts';
import type { ExitStatus, OutputPosition, RunningTask, TerminalSize } from './runtime.ts';
import { SpooledOutput } from './spooled-output.ts';
import type { Starter } from './starter.ts';

const SIGKILL = 9;

export interface TaskOptions {
  readonly terminal: boolean;
  readonly openStdin: boolean;
  /** Where to read on; null: the output is not spooled, and ends with this agent. */
  readonly spool: { readonly from: OutputPosition; readonly starter: Starter } | null;
  /** Asked once, after the exit: has the kernel killed for lack of memory? */
  readonly oomKilled: () => boolean;
  readonly startedAt: Date;
  /** Awaited before anything is released: the sessions of a container have their directories in its own. */
  readonly endSessions?: () => Promise<void>;
}

/** A task seen through its run directory, whether this agent started it or an earlier one did. */
export class MonitoredTask implements RunningTask {
  readonly pid: number;
  readonly startedAt: Date;
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable | null;
  readonly exited: Promise<ExitStatus>;
  readonly #directory: RunDirectory;
  readonly #process: ProcessIdentity | null;
  /** Known from the beginning: a session's directory goes with its container. */
  readonly #monitor: ProcessIdentity | null;
  readonly #terminal: boolean;
  readonly #endSessions: () => Promise<void>;
  readonly #alive: Readable;
  /** The kernel closes a process's files a moment before /proc says that it has ended. */
  #monitorIsGone = false;
  readonly #spooled: readonly SpooledOutput[];

  constructor(directory: RunDirectory, pid: number, options: TaskOptions) {
    this.pid = pid;
    this.startedAt = options.startedAt;
    this.#directory = directory;
    this.#monitor = directory.monitor;
    this.#terminal = options.terminal;
    this.#endSessions = options.endSessions ?? (async () => {});
    // Null when it has ended already; a pid that was reused since has a parent that is not our crun.
    this.#process = directory.exit ? null : identify(pid);
    const { spool, terminal } = options;
    if (spool) {
      const [stdout, stderr] = this.#spool(spool);
      this.stdout = stdout;
      this.stderr = stderr;
      this.#spooled = stderr ? [stdout, stderr] : [stdout];
    } else {
      this.stdout = readFifo(join(directory.io, 'stdout'));
      this.stderr = terminal ? null : readFifo(join(directory.io, 'stderr'));
      this.#spooled = [];
    }
    // No file tells when somebody kills the monitor, of which we need not be the parent.
    this.#alive = readFifo(join(directory.io, 'alive')).resume();
    this.#alive
      .on('error', () => {})
      .once('close', () => {
        this.#monitorIsGone = true;
        directory.wake();
      });
    this.stdin = options.openStdin ? this.#openStdin() : null;
    this.exited = directory
      .until(() => directory.exit ?? this.#lost())
      .then(({ exitCode, at }) => ({ exitCode, finishedAt: at, oomKilled: options.oomKilled() }));
    void this.exited.then(() => {
      for (const output of this.#spooled) output.over();
    });
  }

  acknowledge(stream: keyof OutputPosition, position: number): void {
    const [stdout, stderr] = this.#spooled;
    (stream === 'stdout' ? stdout : stderr)?.acknowledge(position);
  }

  kill(signal: number): boolean {
    return this.#process !== null && signalProcess(this.#process, signal);
  }

  async resize(size: TerminalSize): Promise<void> {
    if (!this.#terminal) throw new Conflict('the process has no terminal');
    if (size.rows === 0 || size.columns === 0) return;
    if (!this.#process || !isAlive(this.#process)) return;
    // The process's own end: crun does not pass on the size of the outer one. /proc opens the very terminal,
    // whichever mount namespace it was made in.
    const terminal = `/proc/${this.#process.pid}/fd/0`;
    await run('busybox', ['stty', '-F', terminal, 'rows', `${size.rows}`, 'cols', `${size.columns}`]);
  }

  async release(): Promise<void> {
    await this.#endSessions();
    this.stdin?.destroy();
    this.stdout.destroy();
    this.stderr?.destroy();
    this.#alive.destroy();
    this.#directory.close();
    if (this.#monitor) signalProcess(this.#monitor, SIGKILL);
    rmSync(this.#directory.path, { recursive: true, force: true });
  }

  #spool({ from, starter }: NonNullable<TaskOptions['spool']>): [SpooledOutput, SpooledOutput | null] {
    const isOver = () => (this.#directory.exit ?? this.#lost()) !== null;
    const stdout = new SpooledOutput(this.#directory, 'stdout', { starter, from: from.stdout, isOver });
    if (this.#terminal) return [stdout, null];
    const stderr = new SpooledOutput(this.#directory, 'stderr', {
      starter,
      from: from.stderr,
      isOver,
      // Its first drain takes time to come: what was written to stdout meanwhile came later.
      onFirstWrite: () => stdout.hold(),
      onFirstBytes: () => stdout.release(),
    });
    return [stdout, stderr];
  }

  /** The monitor was killed by somebody: what ran below it is ended, and how it ended is not known. */
  #lost(): { exitCode: number; at: Date } | null {
    if (!this.#monitor || (!this.#monitorIsGone && isAlive(this.#monitor))) return null;
    this.kill(SIGKILL);
    return { exitCode: 128 + SIGKILL, at: new Date() };
  }

  #openStdin(): Writable | null {
    let stdin: Writable;
    try {
      stdin = writeFifo(join(this.#directory.io, 'stdin'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENXIO') return null;
      throw error;
    }
    if (!this.#terminal)
      stdin.on('close', () => stdin.writableEnded && touchFifo(join(this.#directory.io, 'eof')));
    return stdin;
  }
}
