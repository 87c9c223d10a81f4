import { EventEmitter } from 'node:events';

/** Whether a supervisor's machine is suspended: said by the service that suspends it, for those that talk to it by themselves. */
export class Sleep {
  readonly #events = new EventEmitter().setMaxListeners(0);
  #asleep = false;
  #change: Promise<unknown> = Promise.resolve();
  #changes = 0;

  get asleep(): boolean {
    return this.#asleep;
  }

  fallAsleep(): void {
    this.#asleep = true;
  }

  wakeUp(): void {
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#events.emit('awake');
  }

  /** While `work` runs, the machine's own ports are between two owners, and nobody listens there. */
  async change<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#changes += 1;
    const change = work();
    this.#change = change.catch(() => {});
    return await change;
  }

  /** What connects to the machine's own ports, again if it failed while they changed their owner. */
  async connecting<Result>(connect: () => Promise<Result>): Promise<Result> {
    for (;;) {
      await this.#change;
      const before = this.#changes;
      try {
        return await connect();
      } catch (error) {
        if (this.#changes === before) throw error;
      }
    }
  }

  /** Calls `listener` each time that the machine runs again; the returned function ends that. */
  onAwake(listener: () => void): () => void {
    this.#events.on('awake', listener);
    return () => this.#events.off('awake', listener);
  }
}
