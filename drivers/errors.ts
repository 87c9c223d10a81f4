/** Errors of the host side: classes of meaning; `cli/exit-codes.ts` maps each to an exit code. */
export abstract class MachineError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
/** A check before creation failed and nothing was made. */
export class PreCreateError extends MachineError {}
export class NotFound extends MachineError {}
export class AlreadyExists extends MachineError {}
export class InvalidArgument extends MachineError {}
/** The thing is in a state in which this cannot be done. */
export class FailedPrecondition extends MachineError {}
export class Timeout extends MachineError {}
/** Data did not verify: a signature, a digest, a host key. */
export class Untrusted extends MachineError {}
/** Something needed from outside could not be reached or did not answer. */
export class Unavailable extends MachineError {}
/** The machine's power went off before its engine had said hello: a panic, or a failure that had no voice. */
export class WentOff extends Unavailable {}
export class Cancelled extends MachineError {}
