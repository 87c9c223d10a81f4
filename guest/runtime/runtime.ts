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
   * Starts the container and resolves once its process has been executed. Throws RuntimeError (with dockerd's
   * sentence and its exit code 126, 127 or 128) when it could not; then nothing is left behind.
   */
  start(request: StartRequest): Promise<RunningTask>;
  /**
   * After an agent restart. Null when the run directory is gone (reboot) or was never started. Output is given
   * again from a position on that was not acknowledged.
   */
  reattach(
    id: string,
    options: { readonly terminal: boolean; readonly openStdin: boolean; readonly from: OutputPosition },
  ): Promise<RunningTask | null>;
  /** Freezes all processes. */
  pause(id: string): Promise<void>;
  unpause(id: string): Promise<void>;
  /** Sets OCI `linux.resources` of a running container; what they do not name stays. Throws ProcessError. */
  update(id: string, resources: Readonly<Record<string, unknown>>): Promise<void>;
  /** As `start`, in a running container. Sessions of an agent that has ended are not taken up again. */
  exec(id: string, request: ExecRequest): Promise<RunningTask>;
  /** Removes the run directory and crun's state, and ends what still runs. Idempotent. */
  remove(id: string): Promise<void>;
}

export interface StartRequest {
  readonly id: string;
  readonly spec: RuntimeSpec;
  readonly rootfs: Mount;
  readonly openStdin: boolean;
  /** The kernel may not take the program: it is waited for until it has, or has not. */
  readonly doubtful?: boolean;
}

export interface ExecRequest {
  readonly execId: string;
  readonly process: RuntimeSpec['process'];
  readonly openStdin: boolean;
  /** Whoever finds the container again ends it: nobody else waits for what it says. */
  readonly endsWithEngine?: true;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** How many bytes of each stream, since the start of the run. */
export interface OutputPosition {
  readonly stdout: number;
  readonly stderr: number;
}

export interface RunningTask {
  /** In the engine's pid namespace. */
  readonly pid: number;
  readonly startedAt: Date;
  /** `end()` is end of file for the container. Null when it was started without stdin. */
  readonly stdin: Writable | null;
  /** Ends after the last byte of the last process that held it. */
  readonly stdout: Readable;
  /** Null with a terminal, which has one stream. */
  readonly stderr: Readable | null;
  /**
   * The stream's bytes before `position` are taken care of. What is not acknowledged is kept, for an agent to
   * come; when that is some MiB, the container waits. Does nothing for an exec session.
   */
  acknowledge(stream: keyof OutputPosition, position: number): void;
  /** Resolves (never rejects) when the first process is gone; output may still be draining. */
  readonly exited: Promise<ExitStatus>;
  /** Delivers to the first process. False when it is gone. */
  kill(signal: number): boolean;
  resize(size: TerminalSize): Promise<void>;
  /** Gives back all that the run held; call it when output was read to its end. Idempotent. */
  release(): Promise<void>;
}

export interface ExitStatus {
  /** As a shell reports it: 128 + signal for a killed process. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly finishedAt: Date;
}
