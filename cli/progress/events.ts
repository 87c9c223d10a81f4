import type { Progress, StepDetail } from '../../provisioning/progress.ts';

/** One line of `--json`; `at` is ISO 8601, UTC. */
export type ProgressEvent = { readonly at: string; readonly machine: string } & (
  | { readonly type: 'step'; readonly step: string; readonly status: 'started' | 'failed' }
  | { readonly type: 'step'; readonly step: string; readonly status: 'done'; readonly ms: number }
  | ({ readonly type: 'detail'; readonly step: string } & StepDetail)
  | { readonly type: 'note'; readonly text: string }
);

/** Progress for programs: one JSON object a line. */
export class EventProgress implements Progress {
  readonly #machine: string;
  readonly #write: (line: string) => void;

  constructor(machine: string, write: (line: string) => void) {
    this.#machine = machine;
    this.#write = write;
  }

  async step<Result>(
    title: string,
    work: (report: (detail: StepDetail) => void) => Promise<Result>,
  ): Promise<Result> {
    const started = Date.now();
    this.#emit({ type: 'step', step: title, status: 'started' });
    try {
      const result = await work((detail) => this.#emit({ type: 'detail', step: title, ...detail }));
      this.#emit({ type: 'step', step: title, status: 'done', ms: Date.now() - started });
      return result;
    } catch (error) {
      this.#emit({ type: 'step', step: title, status: 'failed' });
      throw error;
    }
  }

  note(text: string): void {
    this.#emit({ type: 'note', text });
  }

  #emit(event: Distribute<ProgressEvent>): void {
    this.#write(JSON.stringify({ at: new Date().toISOString(), machine: this.#machine, ...event }));
  }
}

type Distribute<Event> = Event extends unknown ? Omit<Event, 'at' | 'machine'> : never;
