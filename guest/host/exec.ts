import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface RunOptions {
  /** Written to the process's stdin, which is then closed; without it stdin is /dev/null. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Kills the process (SIGKILL) when aborted. */
  readonly signal?: AbortSignal;
  /** A descriptor of ours that the program gets as its descriptor 3. */
  readonly inheritFd?: number;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A program that failed: its exit code and the last thing it said. */
export class ProcessError extends Error {
  readonly exitCode: number;
  readonly stderrTail: string;
  constructor(file: string, exitCode: number, stderr: string, options?: ErrorOptions) {
    const stderrTail = stderr.trim().split('\n').slice(-5).join('\n');
    super(`${file} failed (exit code ${exitCode})${stderrTail ? `: ${stderrTail}` : ''}`, options);
    this.name = 'ProcessError';
    this.exitCode = exitCode;
    this.stderrTail = stderrTail;
  }
}

/**
 * Runs a program to its end and gives what it printed. Throws ProcessError when it cannot be started or
 * exits with anything but 0 (128 + signal when killed), and the signal's reason when aborted. For small
 * outputs: everything is held in memory.
 */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await tryRun(file, args, options);
  if (result.exitCode !== 0) throw new ProcessError(file, result.exitCode, result.stderr);
  return result;
}

/** As {@link run}, for programs whose exit code is an answer. Throws only when it cannot be started. */
export function tryRun(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  options.signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: [
        options.input === undefined ? 'ignore' : 'pipe',
        'pipe',
        'pipe',
        ...(options.inheritFd === undefined ? [] : [options.inheritFd]),
      ],
    });
    const kill = () => child.kill('SIGKILL');
    options.signal?.addEventListener('abort', kill, { once: true });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (cause) => reject(new ProcessError(file, 127, cause.message, { cause })));
    child.on('close', (code, signal) => {
      options.signal?.removeEventListener('abort', kill);
      if (options.signal?.aborted) return reject(options.signal.reason);
      resolve({
        exitCode: code ?? 128 + signalNumber(signal),
        stdout: Buffer.concat(out),
        stderr: Buffer.concat(err).toString(),
      });
    });
    if (child.stdin) {
      // A program that does not read its input to the end is judged by its exit code, not by EPIPE.
      child.stdin.on('error', () => {});
      child.stdin.end(options.input);
    }
  });
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : constants.signals[signal];
}
