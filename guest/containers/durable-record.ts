import type { EventSink } from '../events/event.ts';
import type { ContainerRecord } from './container-record.ts';
import type { ContainerStore } from './container-store.ts';
import { next, type Transition } from './state.ts';

/** A container's record and the only way to change it: each change is durable before anybody is told. */
export class DurableRecord {
  readonly #store: ContainerStore;
  readonly #events: EventSink;
  #value: ContainerRecord;
  #deleted = false;

  constructor(value: ContainerRecord, { store, events }: { store: ContainerStore; events: EventSink }) {
    this.#value = value;
    this.#store = store;
    this.#events = events;
  }

  get value(): ContainerRecord {
    return this.#value;
  }

  get deleted(): boolean {
    return this.#deleted;
  }

  change(change: Partial<ContainerRecord>): void {
    const value = { ...this.#value, ...change };
    if (JSON.stringify(value) === JSON.stringify(this.#value)) return;
    if (!this.#deleted) this.#store.put(value);
    this.#value = value;
  }

  /** For what may be forgotten by a crash: written with the next change. */
  note(change: Partial<ContainerRecord>): void {
    this.#value = { ...this.#value, ...change };
  }

  transition(event: Transition): void {
    this.change({ state: next(this.#value.state, event) });
  }

  /** What was last known stays readable, for those who still wait. */
  delete(): void {
    this.#store.delete(this.#value.id);
    this.#deleted = true;
  }

  /** Tells the event stream, with what dockerd tells of a container. */
  publish(action: string, attributes: Readonly<Record<string, string>> = {}): void {
    const { id, name, config } = this.#value;
    this.#events.publish({
      type: 'container',
      action,
      actor: { id, attributes: { ...config.Labels, image: config.Image, name, ...attributes } },
    });
  }
}
