import { rmSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { Conflict } from '../errors.ts';
import { run } from '../host/exec.ts';
import { readFifo, touchFifo, writeFifo } from './fifo.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess } from './process-identity.ts';
import type { RunDirectory } from './run-directory.ts';
import type { ExitStatus, RunningTask, TerminalSize } from './runtime.ts';

const SIGKILL = 9;

export interface TaskOptions {
  readonly terminal: boolean;
  readonly openStdin: boolean;
  /** Asked once, after the exit: has the kernel killed for lack of memory? */
  readonly oomKilled: () => boolean;
  readonly startedAt: Date;
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
  readonly #terminal: boolean;
  readonly #alive: Readable;

  constructor(directory: RunDirectory, pid: number, options: TaskOptions) {
    this.pid = pid;
    this.startedAt = options.startedAt;
    this.#directory = directory;
    this.#terminal = options.terminal;
    // Null when it has ended already; a pid that was reused since has a parent that is not our crun.
    this.#process = directory.exit ? null : identify(pid);
    this.stdout = readFifo(directory.file('stdout'));
    this.stderr = options.terminal ? null : readFifo(directory.file('stderr'));
    // No file tells when somebody kills the monitor, of which we need not be the parent.
    this.#alive = readFifo(directory.file('alive')).resume();
    this.#alive.on('error', () => {}).once('close', () => directory.wake());
    this.stdin = options.openStdin ? this.#openStdin() : null;
    this.exited = directory
      .until(() => directory.exit ?? this.#lost())
      .then(({ exitCode, at }) => ({ exitCode, finishedAt: at, oomKilled: options.oomKilled() }));
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
    this.stdin?.destroy();
    this.stdout.destroy();
    this.stderr?.destroy();
    this.#alive.destroy();
    this.#directory.close();
    const { monitor } = this.#directory;
    if (monitor) signalProcess(monitor, SIGKILL);
    rmSync(this.#directory.path, { recursive: true, force: true });
  }

  /** The monitor was killed by somebody: what ran below it is ended, and how it ended is not known. */
  #lost(): { exitCode: number; at: Date } | null {
    const { monitor } = this.#directory;
    if (!monitor || isAlive(monitor)) return null;
    this.kill(SIGKILL);
    return { exitCode: 128 + SIGKILL, at: new Date() };
  }

  #openStdin(): Writable | null {
    let stdin: Writable;
    try {
      stdin = writeFifo(this.#directory.file('stdin'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENXIO') return null;
      throw error;
    }
    if (!this.#terminal)
      stdin.on('close', () => stdin.writableEnded && touchFifo(this.#directory.file('eof')));
    return stdin;
  }
}
