import type { Progress, StepDetail } from '../../provisioning/progress.ts';
import { detailText, durationText } from './format.ts';

/** Details come by the hundred; a log wants one now and then. */
const detailEveryMs = 5000;
/** A step that took less needs no line to say so. */
const worthTellingMs = 1000;

/** Progress as plain lines, for logs and pipes: a line when a step begins, one when a long one ends. */
export class LineProgress implements Progress {
  readonly #write: (line: string) => void;
  readonly #now: () => number;

  constructor(write: (line: string) => void, { now = Date.now }: { now?: () => number } = {}) {
    this.#write = write;
    this.#now = now;
  }

  async step<Result>(
    title: string,
    work: (report: (detail: StepDetail) => void) => Promise<Result>,
  ): Promise<Result> {
    const started = this.#now();
    let told = started;
    this.#write(`${title}...`);
    const result = await work((detail) => {
      if (this.#now() - told < detailEveryMs) return;
      told = this.#now();
      this.#write(`  ${detailText(detail)}`);
    });
    const ms = this.#now() - started;
    if (ms >= worthTellingMs) this.#write(`  ${title.toLowerCase()} took ${durationText(ms)}`);
    return result;
  }

  note(text: string): void {
    this.#write(text);
  }
}
