import { FailedPrecondition } from '../errors.ts';
import type { Accelerator } from './accelerators.ts';
import type { Channel } from './paths.ts';

/** What the driver remembers of a machine; in the machine's record. */
export interface QemuState {
  readonly version: 1;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly diskMiB: number;
  /** What `--qemu-accel` said. */
  readonly accelWanted: Accelerator | 'auto';
  /** What is used and why, for `machine inspect`; null before the first start. */
  readonly acceleration: { readonly name: Accelerator; readonly reason: string } | null;
  /** Loopback ports of this computer, chosen at creation and kept. */
  readonly apiPort: number;
  readonly sshPort: number;
  /** Ports of the machine's channels where there are no unix sockets (Windows); null elsewhere. */
  readonly channelPorts: Readonly<Record<Channel, number>> | null;
  /** Where the sockets are when the machine's directory is too deep for them; else null. */
  readonly socketDirectory: string | null;
}

/** The record is checked by its owner; this only refuses a state that this code cannot understand. */
export function qemuState(state: unknown): QemuState {
  const version = (state as Partial<QemuState> | null)?.version;
  if (version === 1) return state as QemuState;
  throw new FailedPrecondition(
    version === undefined
      ? 'the qemu driver never finished making this machine; machine rm removes what is left'
      : `the qemu driver's record has version ${version}, from a newer machine program; upgrade`,
  );
}
