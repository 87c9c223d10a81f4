import type { Duplex } from 'node:stream';
import type { Container } from '../containers/container.ts';
import { execProcess } from '../containers/container-wish.ts';
import type { Dependencies } from '../containers/dependencies.ts';
import { defaultDetachKeys, parseDetachKeys } from '../containers/detach-keys.ts';
import { isLive, type State } from '../containers/state.ts';
import { Stdio } from '../containers/stdio.ts';
import { Conflict } from '../errors.ts';
import { newId } from '../ids.ts';
import type { RunningTask, TerminalSize } from '../runtime/runtime.ts';
import type { ExecBody } from '../schema/container.ts';

/**
 * One `docker exec`. It ends with the agent: another one does not know it, and its process goes on unseen.
 *
 *   created ──start──> running ──exit──> exited
 *      └── start failed (126) ───────────────^
 */
export class ExecSession {
  readonly id = newId();
  readonly container: Container;
  readonly body: ExecBody;
  /** As inspect shows it: null before the end. */
  exitCode: number | null = null;
  #status: 'created' | 'running' | 'exited' = 'created';
  #task: RunningTask | null = null;
  readonly #detachKeys: Buffer;
  /** Told even when it has ended; 0 before the start. */
  #pid = 0;
  readonly #stdio = new Stdio();
  readonly #runStartedAt: string | null;
  readonly #deps: Dependencies;
  readonly #onEnd: (session: ExecSession) => void;

  /** Throws InvalidParameter for detach keys that are none. */
  constructor(
    container: Container,
    body: ExecBody,
    deps: Dependencies,
    onEnd: (session: ExecSession) => void,
  ) {
    this.container = container;
    this.#runStartedAt = startOf(container.record.state);
    this.body = body;
    this.#detachKeys = parseDetachKeys(body.DetachKeys || defaultDetachKeys);
    this.#deps = deps;
    this.#onEnd = onEnd;
  }

  /** Not of a container that is gone, or of an earlier run of it. */
  get isKnown(): boolean {
    const { deleted, record } = this.container;
    if (deleted) return false;
    return this.#status !== 'created' || startOf(record.state) === this.#runStartedAt;
  }

  get running(): boolean {
    return this.#status === 'running';
  }

  get pid(): number {
    return this.#pid;
  }

  get command(): string {
    return (this.body.Cmd ?? []).join(' ');
  }

  /** Before it starts. Throws Conflict when it was started already, or the container does not run. */
  claim(): void {
    if (this.#status === 'exited') throw new Conflict(`Error: Exec command ${this.id} has already run`);
    if (this.#status === 'running') throw new Conflict(`Error: Exec command ${this.id} is already running`);
    this.container.check('exec');
    this.#status = 'running';
  }

  /**
   * Starts the process; with a connection, its streams are the client's until the end, and `raw` says that output has
   * no frames. Resolves when it runs. Throws RuntimeError when it cannot be started.
   */
  async start(options: {
    readonly connection: Duplex | null;
    readonly raw: boolean;
    readonly size?: TerminalSize;
  }): Promise<void> {
    const { body, container } = this;
    const { connection, raw, size } = options;
    container.publish(`exec_start: ${this.command}`, { execID: this.id });
    if (connection) {
      this.#stdio.attach(connection, {
        stdin: body.AttachStdin,
        stdout: body.AttachStdout,
        stderr: body.AttachStderr,
        terminal: body.Tty,
        raw,
        closeStdin: !body.Tty,
        detachKeys: this.#detachKeys,
        onDetach: () => container.publish('exec_detach', { execID: this.id }),
      });
    }
    try {
      const process = execProcess(container.record, this.#deps, body);
      const task = await this.#deps.runtime.exec(container.id, {
        execId: this.id,
        process: size ? { ...process, consoleSize: { height: size.rows, width: size.columns } } : process,
        openStdin: body.AttachStdin,
      });
      this.#task = task;
      this.#pid = task.pid;
      void this.#follow(task);
    } catch (error) {
      // Whatever it was, as with dockerd.
      this.#end(126);
      throw error;
    }
  }

  async resize(size: TerminalSize): Promise<void> {
    if (!this.#task || !this.running) throw new Conflict(`exec ${this.id} is not running`);
    await this.#task.resize(size);
  }

  async #follow(task: RunningTask): Promise<void> {
    const output = this.#stdio.run(task, () => {});
    const { exitCode } = await task.exited;
    this.exitCode = exitCode;
    this.#status = 'exited';
    await output;
    // Only now: the client asks for the exit code as soon as its connection ends.
    this.#stdio.end();
    await task.release();
    this.#end(exitCode);
  }

  #end(exitCode: number): void {
    this.exitCode = exitCode;
    this.#status = 'exited';
    this.#task = null;
    this.container.publish('exec_die', { execID: this.id, exitCode: `${exitCode}` });
    this.#onEnd(this);
  }
}

/** Of the run that goes on; null when there is none. */
function startOf(state: State): string | null {
  return isLive(state) ? state.startedAt : null;
}
