import type { HostChanges } from '../../../guest/wire/index.ts';
import type { PendingChanges } from './pending-changes.ts';

/** How a machine is told of changes, which depends on how it has its directories (decisions 19 and 20). */
export interface Telling {
  /** Of paths in a batch; without, {@link PendingChanges} has its own. */
  readonly max?: number;
  /** Whether a change is the machine's, where that is known; `path` with a character for each byte. */
  isOwn(path: string): boolean;
  /** What to say of what is pending, as it is now; nothing is pending then. Null when that is no news. */
  take(pending: PendingChanges, serial: number): Promise<Batch | null>;
  /** The machine has answered; what was only there for it goes. */
  told(serial: number): void;
  /** For how long nothing is told after a batch that took the machine `tookMs`. */
  restMs(tookMs: number): number;
}

export interface Batch {
  readonly changes: HostChanges;
  /** How many changes are told by their directories alone. */
  readonly collapsed: number;
}
