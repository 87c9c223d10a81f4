import { type Health, nextHealth, type ProbeResult } from './health.ts';
import { type HealthCheck, probeDelayMs } from './health-check.ts';

/** One probe: never rejects. Aborting its signal ends the probe's process. */
export type Probe = (signal: AbortSignal) => Promise<ProbeResult>;

/** Probes a running container at its intervals, one probe at a time, until it is stopped. */
export class HealthMonitor {
  readonly #check: HealthCheck;
  readonly #startedAt: string;
  readonly #probe: Probe;
  readonly #tell: (health: Health) => void;
  readonly #stopped = new AbortController();
  #health: Health;
  #timer: NodeJS.Timeout | undefined;
  #probing: Promise<void> = Promise.resolve();

  /** `tell` is called with each new health, not after {@link stop}. */
  constructor(options: {
    readonly check: HealthCheck;
    /** ISO. */
    readonly startedAt: string;
    readonly health: Health;
    readonly probe: Probe;
    readonly tell: (health: Health) => void;
  }) {
    this.#check = options.check;
    this.#startedAt = options.startedAt;
    this.#health = options.health;
    this.#probe = options.probe;
    this.#tell = options.tell;
    this.#schedule();
  }

  /** Resolves when no probe runs any more, which a paused container keeps from ending. Idempotent. */
  stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopped.abort();
    return this.#probing;
  }

  #schedule(): void {
    const ageMs = Date.now() - Date.parse(this.#startedAt);
    const delayMs = probeDelayMs(this.#check, this.#health.Status, ageMs);
    this.#timer = setTimeout(() => {
      this.#probing = this.#run();
    }, delayMs);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    const result = await this.#probe(signal);
    if (signal.aborted) return;
    this.#health = nextHealth(this.#health, result, { ...this.#check, startedAt: this.#startedAt });
    this.#tell(this.#health);
    this.#schedule();
  }
}
