import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readFifo } from './fifo.ts';
import type { FifoSets } from './fifo-sets.ts';

/**
 * A drain is a process that moves what comes out of a FIFO to a file, so that the agent may be killed at any
 * moment: whatever has left the FIFO is in the file, or in the hands of that process, which goes on. It takes
 * no more than it was told to and then ends, so that a container without an agent waits instead of filling the
 * disk. It ends, too, when the last writer has gone. It holds `<name>.drain` open, which tells any agent, of
 * today or tomorrow, that it is there: one at a time empties a FIFO.
 */
export interface Drain {
  readonly run: string;
  readonly name: string;
  readonly segment: number;
  readonly bytes: number;
}

/**
 * Starts them for the agent: a small shell forks ten times faster than Node. It ends with the agent; while it
 * lives it holds `alive` open.
 */
const script = `
exec 8<>"$1"
while read -r run name segment bytes; do
  [ -p "$run/io/$name.drain" ] || { echo; continue; }
  exec 9<>"$run/io/$name.drain"
  # Opened for both first: otherwise open(2) waits for a writer.
  dd bs=64k count="$bytes" iflag=count_bytes status=none \\
    3<>"$run/io/$name" <"$run/io/$name" 3>&- >>"$run/$name.$segment" 2>&9 9>&- 8>&- &
  exec 9>&-
  echo
  # Reaps those that have ended.
  jobs >/dev/null
done
`;

export class Drains {
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

  /** Resolves when no earlier agent's shell is left, which might still start one. Before anything else. */
  ready(): Promise<void> {
    this.#ready ??= existsSync(this.#directory)
      ? once(readFifo(this.#alive).resume(), 'close').then(() => {})
      : this.#fifos.take(this.#directory);
    return this.#ready;
  }

  /** Emits `close` when the drain is gone, at once if it could not be started. Destroy it when done. */
  start(drain: Drain) {
    const io = join(drain.run, 'io');
    // Held until the shell has it, so that it has no end before the beginning.
    const token = openSync(join(io, `${drain.name}.drain`), constants.O_RDWR);
    this.#starting.push(() => closeSync(token));
    this.#running().stdin!.write(`${drain.run} ${drain.name} ${drain.segment} ${drain.bytes}\n`);
    return drainEnd(io, drain.name);
  }

  get #alive(): string {
    return join(this.#directory, 'alive');
  }

  #running(): ChildProcess {
    if (this.#shell) return this.#shell;
    const shell = spawn('busybox', ['sh', '-c', script, 'drains', this.#alive], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      cwd: '/',
      env: { PATH: process.env.PATH },
    });
    this.#shell = shell;
    shell.unref();
    shell.stdin!.on('error', () => {});
    createInterface({ input: shell.stdout! }).on('line', () => this.#starting.shift()?.());
    const gone = () => {
      if (this.#shell === shell) this.#shell = null;
      for (const started of this.#starting.splice(0)) started();
    };
    shell.once('error', gone).once('exit', gone);
    return shell;
  }
}

/** Emits `close` when no process empties the FIFO any more, at once when none does. Destroy it when done. */
export function drainEnd(io: string, name: string) {
  return readFifo(join(io, `${name}.drain`)).resume();
}
