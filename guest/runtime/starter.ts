import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { drainScript } from './drain.ts';
import { readFifo } from './fifo.ts';
import type { FifoSets } from './fifo-sets.ts';
import { monitorScript } from './monitor.ts';

/**
 * A small shell forks ten times faster than Node, whose memory is a hundred times larger. It takes this and then one
 * `start` after the other as its own script, which it reads by the block; its `read` would take each byte by itself.
 * A FIFO that the new process holds open from its first moment to its last, what it is, and its arguments. The shell
 * ends with the agent, its children do not; while it lives it holds `alive` open.
 */
const script = `
exec 8<>"$1"
monitor=$2
eval "monitor() {
$monitor
}"
start() {
  if [ -p "$1" ]; then
    exec 9<>"$1"
    kind=$2
    shift 2
    case $kind in
      drain) ${drainScript} 2>&9 9>&- 8>&- & ;;
      exec) { exec </dev/null >/dev/null 2>&1 8>&9 9>&-; monitor "$@"; } & ;;
      # slave: what the engine unmounts is unmounted there too, and nothing done there is seen outside.
      run) busybox unshare -m --propagation slave busybox sh -c "$monitor" monitor "$@" \\
          </dev/null >/dev/null 2>&1 8>&9 9>&- & ;;
      # What is mounted on shared mounts is seen on both sides, but for what is below a private one: here the root is.
      shared-run) private=$1; shift
          busybox unshare -m --propagation shared \\
          busybox sh -c "busybox mount --make-private $private || exit; $monitor" monitor "$@" </dev/null >/dev/null 2>&1 8>&9 9>&- & ;;
    esac
    exec 9>&-
  fi
  echo
  # Reaps those that have ended.
  jobs >/dev/null
}
`;

/** Starts what stands between a container and the agent: monitors (monitor.ts) and drains (drain.ts). */
export class Starter {
  readonly #directory: string;
  readonly #fifos: FifoSets;
  #ready: Promise<void> | null = null;
  #shell: ChildProcess | null = null;
  #starting: (() => void)[] = [];

  /** `directory` is this one's own, and stays for the agents after this one. */
  constructor(directory: string, fifos: FifoSets) {
    this.#directory = directory;
    this.#fifos = fifos;
  }

  /** Resolves when no earlier agent's shell is left, which might still start something. Before anything else. */
  ready(): Promise<void> {
    this.#ready ??= existsSync(this.#directory)
      ? once(readFifo(this.#alive).resume(), 'close').then(() => {})
      : this.#fifos.take(this.#directory);
    return this.#ready;
  }

  /** Emits `close` when the process is gone, at once if it could not be started. Destroy it when done. */
  start(
    kind: 'drain' | 'exec' | 'run' | 'shared-run',
    fifo: string,
    args: readonly (string | number)[],
  ): Socket {
    // Held until the shell has it, so that it has no end before the beginning.
    const token = openSync(fifo, constants.O_RDWR);
    this.#starting.push(() => closeSync(token));
    this.#running().stdin!.write(`start ${[fifo, kind, ...args].map(quoted).join(' ')}\n`);
    return readFifo(fifo).resume();
  }

  /** Ends the shell, and resolves when it is gone. What it has started runs on. */
  async close(): Promise<void> {
    if (!this.#shell) return;
    const ended = once(this.#shell, 'exit');
    this.#shell.stdin!.end();
    await ended;
  }

  get #alive(): string {
    return join(this.#directory, 'alive');
  }

  #running(): ChildProcess {
    if (this.#shell) return this.#shell;
    const shell = spawn('busybox', ['sh', '-s', this.#alive, monitorScript], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: '/',
      env: { PATH: process.env.PATH },
    });
    this.#shell = shell;
    shell.unref();
    shell.stdin!.on('error', () => {}).write(script);
    createInterface({ input: shell.stdout! }).on('line', () => this.#starting.shift()?.());
    const gone = () => {
      if (this.#shell === shell) this.#shell = null;
      for (const started of this.#starting.splice(0)) started();
    };
    shell.once('error', gone).once('exit', gone);
    return shell;
  }
}

/** As one word of a shell's. */
function quoted(word: string | number): string {
  return `'${String(word).replaceAll("'", `'\\''`)}'`;
}
