import type { Readable, Writable } from 'node:stream';
import type { Mount } from '../layers/snapshotter.ts';
import type { RuntimeSpec } from './runtime-spec.ts';

/**
 * Runs one container's process tree. The runtime knows bundles, processes and stdio; it knows nothing of
 * images, networks or records. A running container outlives the agent: everything `reattach` needs is in
 * the container's run directory.
 */
export interface Runtime {
  /**
   * Starts the container and resolves once its process has been executed. Throws RuntimeError (with crun's
   * own sentence and Docker's exit code 126 or 127 where one applies) when it could not; then nothing is
   * left behind.
   */
  start(request: StartRequest): Promise<RunningTask>;
  /** After an agent restart. Null when the run directory is gone (reboot) or was never started. */
  reattach(id: string): Promise<RunningTask | null>;
  /** Delivers to the container's first process. Throws NotFound when it is gone. */
  kill(id: string, signal: number): Promise<void>;
  /** Freezes the cgroup. */
  pause(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
  exec(id: string, request: ExecRequest): Promise<RunningTask>;
  /** Removes the run directory and crun's state. Idempotent; the container must have exited. */
  remove(id: string): Promise<void>;
}

export interface StartRequest {
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly rootfs: Mount;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly size?: TerminalSize;
}

export interface ExecRequest {
  readonly execId: string;
  readonly process: RuntimeSpec['process'];
  readonly openStdin: boolean;
  readonly size?: TerminalSize;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface RunningTask {
  /** In the engine's pid namespace. */
  readonly pid: number;
  readonly startedAt: Date;
  readonly stdin: Writable | null;
  /** Ends after the last byte of the last process that held it. */
  readonly stdout: Readable;
  /** Null with a terminal, which has one stream. */
  readonly stderr: Readable | null;
  /** Resolves (never rejects) when the first process is gone; output may still be draining. */
  readonly exited: Promise<ExitStatus>;
  resize(size: TerminalSize): Promise<void>;
}

export interface ExitStatus {
  /** As a shell reports it: 128 + signal for a killed process. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly finishedAt: Date;
}
