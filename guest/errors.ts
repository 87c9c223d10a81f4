/**
 * Errors are classes of meaning, thrown anywhere in the engine; the API maps each to an HTTP status in one
 * place ({@link httpStatus}). Messages follow dockerd's wording where clients key on it.
 */
export abstract class EngineError extends Error {
  abstract readonly httpStatus: number;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

export class NotFound extends EngineError {
  readonly httpStatus = 404;
}
export class InvalidParameter extends EngineError {
  readonly httpStatus = 400;
}
export class Conflict extends EngineError {
  readonly httpStatus = 409;
}
export class Unauthorized extends EngineError {
  readonly httpStatus = 401;
}
export class Forbidden extends EngineError {
  readonly httpStatus = 403;
}
/** Not a failure: the wish was already true (start of a running container). Answered without a body. */
export class NotModified extends EngineError {
  readonly httpStatus = 304;
}
export class TooLarge extends EngineError {
  readonly httpStatus = 413;
}
export class NotImplemented extends EngineError {
  readonly httpStatus = 501;
}
export class Unavailable extends EngineError {
  readonly httpStatus = 503;
}
export class Internal extends EngineError {
  readonly httpStatus = 500;
}

/** A failure with what failed said before it: `cannot kill container: web: container … is not running`. */
export class Failed extends EngineError {
  readonly httpStatus: number;

  /** @param status another than the cause's */
  constructor(what: string, cause: unknown, status = httpStatus(cause)) {
    super(`${what}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    this.httpStatus = status;
  }
}

/** The HTTP status for anything thrown; what is not ours is a 500. */
export function httpStatus(error: unknown): number {
  return error instanceof EngineError ? error.httpStatus : 500;
}
