import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A command at a terminal of its own, by util-linux `script`; a test types and reads as a user does. */
export class Terminal {
  readonly #process: ChildProcess;
  #shown = '';
  readonly exitCode: Promise<number>;

  constructor(command: string, env: Readonly<Record<string, string>>) {
    this.#process = spawn('script', ['-qec', command, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    this.#process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text;
    });
    this.exitCode = once(this.#process, 'close').then(([code]) => code);
  }

  /** Resolves when the text has been shown; rejects with what was, when the command ends without it. */
  async shows(text: string): Promise<void> {
    const { stdout } = this.#process;
    while (!this.#shown.includes(text)) {
      const ended = await Promise.race([
        once(stdout!, 'data').then(() => false),
        this.exitCode.then(() => true),
      ]);
      if (ended && !this.#shown.includes(text))
        throw new Error(`the command ended without ${JSON.stringify(text)}: ${this.#shown}`);
    }
  }

  type(text: string): void {
    this.#process.stdin!.write(text);
  }

  get shown(): string {
    return this.#shown;
  }
}
