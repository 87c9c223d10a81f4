import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ProcessError } from './exec.ts';

/** Syncs of one build or pull follow each other faster than this. */
const idleMs = 2000;

const script = 'while IFS= read -r directory; do sync -f "$directory" 2>&1; echo "exit $?"; done';

interface Wish {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * syncfs(2), which Node lacks, asked of a shell that stays as long as it has something to do: for an engine's process to
 * fork takes longer than the sync of a small layer. One after the other.
 */
export class DiskSync {
  #shell: ChildProcess | null = null;
  #wishes: Wish[] = [];
  #said: string[] = [];
  #idle: NodeJS.Timeout | undefined;

  /**
   * Resolves when all that was written to the file system before is on its disk. Throws ProcessError when it is not.
   *
   * @param directory absolute
   */
  sync(directory: string): Promise<void> {
    clearTimeout(this.#idle);
    const shell = this.#running();
    return new Promise((resolve, reject) => {
      this.#wishes.push({ resolve, reject });
      shell.stdin!.write(`${directory}\n`);
    });
  }

  #running(): ChildProcess {
    if (this.#shell) return this.#shell;
    const shell = spawn('busybox', ['sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH },
    });
    this.#shell = shell;
    shell.stdin!.on('error', () => {});
    createInterface({ input: shell.stdout! }).on('line', (line) => this.#hear(line));
    const gone = () => {
      if (this.#shell !== shell) return;
      this.#shell = null;
      this.#said = [];
      for (const { reject } of this.#wishes.splice(0))
        reject(new ProcessError('sync', 127, 'its shell has ended'));
    };
    shell.once('error', gone).once('exit', gone);
    return shell;
  }

  #hear(line: string): void {
    const code = /^exit (\d+)$/.exec(line)?.[1];
    if (code === undefined) {
      this.#said.push(line);
      return;
    }
    const said = this.#said.splice(0).join('\n');
    const wish = this.#wishes.shift();
    if (code === '0') wish?.resolve();
    else wish?.reject(new ProcessError('sync', Number(code), said));
    if (this.#wishes.length === 0) this.#idle = setTimeout(() => this.#end(), idleMs).unref();
  }

  #end(): void {
    this.#shell?.stdin?.end();
    this.#shell = null;
  }
}
