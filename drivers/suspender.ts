/**
 * Stops a machine's processors, and lets them go on, with nothing lost and nobody noticing but by the time. While they
 * stand, nobody answers at the machine's own ports, so the caller can listen there in its place: that is its way to
 * learn that the machine is wanted. One caller at a time: the machine's supervisor. Disposing of it changes nothing.
 */
export interface Suspender extends AsyncDisposable {
  /** Ports of this computer's loopback that lead to the machine itself. */
  readonly ports: readonly number[];
  /** Nothing of this computer listens at `ports` any more; what is connected stays so. */
  letGo(): Promise<void>;
  pause(): Promise<void>;
  /** Idempotent. */
  resume(): Promise<void>;
  /** The machine has its `ports` again, which must be free unless it has them. Idempotent. */
  takeBack(): Promise<void>;
}
