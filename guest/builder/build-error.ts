import { EngineError } from '../errors.ts';
import type { LineRange } from './line-range.ts';

/** A build that failed by the fault of its Dockerfile, context or options. Doors show it in their own ways. */
export class BuildError extends EngineError {
  readonly httpStatus = 400;
  /** The Dockerfile's lines that it is about; null when about none. */
  readonly range: LineRange | null;
  /** Of a program that a step ran; null when none did. */
  readonly exitCode: number | null;
  constructor(
    message: string,
    options: ErrorOptions & { readonly range?: LineRange | null; readonly exitCode?: number } = {},
  ) {
    super(message, options);
    this.range = options.range ?? null;
    this.exitCode = options.exitCode ?? null;
  }
}

/** A program of a RUN that ended with an error. */
export class RunFailed extends BuildError {
  /** The program and its arguments. */
  readonly args: readonly string[];
  constructor(args: readonly string[], exitCode: number, range: LineRange) {
    super(`process "${args.join(' ')}" did not complete successfully: exit code: ${exitCode}`, {
      range,
      exitCode,
    });
    this.args = args;
  }
}
