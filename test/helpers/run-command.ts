import { execa } from 'execa';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 128 + signal when a signal ended it. */
  readonly exitCode: number;
}

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end; a non-zero exit code is a result, a program that cannot start throws. */
export async function runCommand(
  program: string,
  args: readonly string[],
  { input, env, cwd, timeoutMs = 120_000 }: CommandOptions = {},
): Promise<CommandResult> {
  const result = await execa(program, args, {
    reject: false,
    stripFinalNewline: false,
    timeout: timeoutMs,
    ...(env && { env }),
    ...(cwd && { cwd }),
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
  });
  if (result.timedOut) throw new Error(`"${program} ${args.join(' ')}" did not end in ${timeoutMs} ms`);
  if (result.exitCode === undefined && result.signal === undefined)
    throw result.cause ?? new Error(`cannot run "${program}"`);
  const exitCode = result.exitCode ?? 128 + (signalNumbers[result.signal ?? ''] ?? 0);
  return { stdout: result.stdout, stderr: result.stderr, exitCode };
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
