import type { Machine } from '../machine.ts';
import type { Sleep } from './sleep.ts';

/**
 * One thing that the supervisor does for its machine while that is on: a socket, the ports, a directory, the
 * clock. Services know nothing of each other and of how the supervisor is started and ended.
 */
export interface Service {
  /** As in the supervisor's log and in `machine status`. */
  readonly name: string;
  /**
   * Works until `signal` aborts, then frees what it has and returns. When it throws, the supervisor writes down
   * why and runs it again a little later; `ready` then says so again.
   */
  run(context: ServiceContext): Promise<void>;
}

export interface ServiceContext {
  readonly machine: Machine;
  readonly signal: AbortSignal;
  readonly log: SupervisorLog;
  readonly sleep: Sleep;
  /** To be called once a run when users can rely on it: `machine start` waits for that. */
  ready(): void;
}

/** Lines of a bounded file next to the machine's record. No secrets. */
export interface SupervisorLog {
  info(text: string): void;
  /** With the error's chain of causes. */
  error(text: string, error?: unknown): void;
}
