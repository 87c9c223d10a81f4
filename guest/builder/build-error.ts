import { EngineError } from '../errors.ts';
import type { LineRange } from './build.ts';

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
