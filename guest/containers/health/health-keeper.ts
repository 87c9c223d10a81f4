import type { Dependencies } from '../dependencies.ts';
import type { DurableRecord } from '../durable-record.ts';
import { type Health, startingHealth } from './health.ts';
import { healthCheckOf } from './health-check.ts';
import { HealthMonitor } from './health-monitor.ts';
import { execProbe } from './probe.ts';

/** Keeps a container's record and the event stream informed of its health, while there is something to probe. */
export class HealthKeeper {
  readonly #record: DurableRecord;
  readonly #deps: Dependencies;
  #monitor: HealthMonitor | null = null;

  constructor(record: DurableRecord, deps: Dependencies) {
    this.#record = record;
    this.#deps = deps;
  }

  /** A run has begun. */
  begin(startedAt: string): void {
    if (!healthCheckOf(this.#record.value.config)) return;
    this.#record.change({ health: startingHealth(this.#record.value.health) });
    this.resume(startedAt);
  }

  /** A run goes on: after a pause, or with a new agent. */
  resume(startedAt: string): void {
    const check = healthCheckOf(this.#record.value.config);
    if (!check) return;
    this.#monitor = new HealthMonitor({
      check,
      startedAt,
      health: this.#record.value.health ?? startingHealth(undefined),
      probe: execProbe(this.#record, check, this.#deps),
      tell: (health) => this.#tell(health),
    });
  }

  /** Idempotent. Resolves when no probe runs any more, which a paused container keeps from ending. */
  async stop(): Promise<void> {
    const monitor = this.#monitor;
    const { health } = this.#record.value;
    if (!monitor || !health) return;
    this.#monitor = null;
    this.#record.change({ health: { ...health, Status: 'unhealthy' } });
    await monitor.stop();
  }

  /** The engine ends and the container goes on: what is known of it stays. */
  leave(): void {
    void this.#monitor?.stop();
  }

  #tell(health: Health): void {
    const before = this.#record.value.health?.Status;
    // Only a change of status is worth a write to disk.
    if (health.Status === before) this.#record.note({ health });
    else {
      this.#record.change({ health });
      this.#record.publish(`health_status: ${health.Status}`);
    }
  }
}
