import { stripVTControlCharacters } from 'node:util';
import { dim, green, red } from 'yoctocolors';
import type { Progress, StepDetail } from '../../provisioning/progress.ts';
import { detailText, durationText } from './format.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;

interface Step {
  readonly title: string;
  readonly started: number;
  detail: string;
}

/** Progress on a terminal: steps under way are redrawn in place with their detail and time, done ones stay. */
export class LiveProgress implements Progress {
  readonly #terminal: NodeJS.WriteStream;
  readonly #running = new Set<Step>();
  #drawn = 0;
  #frame = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: NodeJS.WriteStream) {
    this.#terminal = terminal;
  }

  async step<Result>(
    title: string,
    work: (report: (detail: StepDetail) => void) => Promise<Result>,
  ): Promise<Result> {
    const step: Step = { title, started: Date.now(), detail: '' };
    this.#running.add(step);
    this.#timer ??= setInterval(() => this.#draw(), frameMs);
    try {
      const result = await work((detail) => {
        step.detail = detailText(detail);
      });
      this.#end(step, green('✔'));
      return result;
    } catch (error) {
      this.#end(step, red('✖'));
      throw error;
    }
  }

  note(text: string): void {
    this.#draw(text);
  }

  #end(step: Step, mark: string): void {
    this.#running.delete(step);
    this.#draw(`${mark} ${step.title} ${dim(durationText(Date.now() - step.started))}`);
    if (this.#running.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Replaces the lines of running steps; `above` stays for good. */
  #draw(above?: string): void {
    this.#frame = (this.#frame + 1) % frames.length;
    const lines = [...this.#running].map((step) =>
      this.#fit(
        `${frames[this.#frame]} ${step.title} `,
        `${durationText(Date.now() - step.started)} ${step.detail}`,
      ),
    );
    const back = this.#drawn === 0 ? '\r' : `\x1b[${this.#drawn}A\r`;
    this.#terminal.write(
      `${back}\x1b[J${[...(above === undefined ? [] : [above]), ...lines].map((l) => `${l}\n`).join('')}`,
    );
    this.#drawn = lines.length;
  }

  /** One line of the terminal: a line that wraps could not be redrawn. */
  #fit(text: string, faint: string): string {
    const width = (this.#terminal.columns || 80) - 1;
    const clean = stripVTControlCharacters(faint).slice(0, Math.max(0, width - text.length));
    return text.slice(0, width) + dim(clean);
  }
}
