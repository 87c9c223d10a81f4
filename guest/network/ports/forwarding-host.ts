import { setTimeout as delay } from 'node:timers/promises';
import { Unavailable } from '../../errors.ts';
import type { PortFailure, PortsAnswer, PublishedPortNotice, PublishedPorts } from '../../wire/index.ts';

/** Told states, and answering them; see wire/published-ports.ts. */
export interface Follower {
  tell(state: PublishedPorts): void;
  /** Another one has come in its place. */
  end(): void;
}

const noAnswer: PortsAnswer = { serial: 0, failed: [] };

interface Waiting {
  readonly serial: number;
  readonly settle: (failed: readonly PortFailure[]) => void;
}

/**
 * The host in front of this one, while it follows: it gets one state at a time, and the newest after its answer, so
 * that one which is slow misses some. The first is waited for, since it comes when the machine has just started.
 * Later nobody is who is not there: the ports are there for the next one.
 */
export class ForwardingHost {
  readonly #list: () => readonly PublishedPortNotice[];
  readonly #waiting = new Set<Waiting>();
  #serial = 0;
  #follower: Follower | null = null;
  /** Serial of the state that it has not answered yet. */
  #told: number | null = null;
  /** And of the last one that it has, with its answer. */
  #answered: PortsAnswer = noAnswer;

  /** Resolves when the first one follows, or is expected no more. */
  readonly #expected: Promise<void>;
  #onFirst = () => {};

  /**
   * @param list what is published at that moment
   * @param expectedWithinMs how long the first one may take to come
   */
  constructor(
    list: () => readonly PublishedPortNotice[],
    { expectedWithinMs = 0 }: { readonly expectedWithinMs?: number } = {},
  ) {
    this.#list = list;
    this.#expected = new Promise((resolve) => {
      this.#onFirst = resolve;
      setTimeout(resolve, expectedWithinMs).unref();
    });
  }

  /** From now on `follower` is told; it says what became of it until it leaves. */
  follow(follower: Follower): { answer(answer: PortsAnswer): void; leave(): void } {
    this.#follower?.end();
    this.#follower = follower;
    this.#onFirst();
    this.#told = null;
    this.#answered = noAnswer;
    this.#serial += 1;
    this.#tell();
    return {
      answer: (answer) => {
        if (this.#follower === follower) this.#take(answer);
      },
      leave: () => {
        if (this.#follower !== follower) return;
        this.#follower = null;
        for (const { settle } of this.#waiting) settle([]);
      },
    };
  }

  state(): PublishedPorts {
    return { serial: this.#serial, published: this.#list() };
  }

  /** To be called after each change of what is published. */
  changed(): void {
    this.#serial += 1;
    this.#tell();
  }

  /**
   * Resolves with what failed of the present state, as soon as the host has answered for it; with nothing when none
   * follows and none is expected. Throws Unavailable when one that follows has not answered after `deadlineMs`.
   */
  async answer({ deadlineMs }: { readonly deadlineMs: number }): Promise<readonly PortFailure[]> {
    if (this.#follower === null) await this.#firstComes(deadlineMs);
    if (this.#follower === null) return [];
    if (this.#answered.serial === this.#serial) return this.#answered.failed;
    return await new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiting.delete(waiting);
      };
      const late = () => {
        end();
        const seconds = Math.round(deadlineMs / 1000);
        reject(
          new Unavailable(
            `the host that forwards to this one has not answered within ${seconds} s; look for its supervisor's log`,
          ),
        );
      };
      const timer = setTimeout(late, deadlineMs);
      const waiting = {
        serial: this.#serial,
        settle: (failed: readonly PortFailure[]) => {
          end();
          resolve(failed);
        },
      };
      this.#waiting.add(waiting);
    });
  }

  /** Or nobody is expected, or the deadline is over. */
  async #firstComes(deadlineMs: number): Promise<void> {
    const come = new AbortController();
    const deadline = delay(deadlineMs, undefined, { signal: come.signal }).catch(() => {});
    await Promise.race([this.#expected, deadline]);
    come.abort();
  }

  #tell(): void {
    if (this.#follower === null || this.#told !== null || this.#answered.serial === this.#serial) return;
    this.#told = this.#serial;
    this.#follower.tell(this.state());
  }

  #take(answer: PortsAnswer): void {
    const { serial, failed } = answer;
    if (serial !== this.#told) return;
    this.#told = null;
    this.#answered = answer;
    for (const waiting of this.#waiting) if (waiting.serial <= serial) waiting.settle(failed);
    this.#tell();
  }
}
