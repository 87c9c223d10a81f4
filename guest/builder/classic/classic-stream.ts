import type { Digest } from '../../digest.ts';
import { shortId } from '../../ids.ts';
import type { BuildEvent, InstructionEvent } from '../build.ts';
import { RunFailed } from '../build-error.ts';
import { type BuildDisplay, type Built, failureLine, jsonLine } from './build-display.ts';

interface StepLines {
  readonly lines: string[];
  done: boolean;
}

/**
 * Progress as the classic builder tells it: step by step in the order of the Dockerfile. Of stages that are built side
 * by side, later ones wait for their turn.
 */
export class ClassicStream implements BuildDisplay {
  readonly #write: (line: string) => void;
  readonly #steps = new Map<number, StepLines>();
  /** Whose logs are whose. */
  readonly #stepOf = new Map<Digest, number>();
  readonly #containers = new Map<number, string>();
  #current = 1;
  /** Events of a step come before its total is known only for ARGs at the top. */
  #waiting: InstructionEvent[] = [];

  readonly #saysId: boolean;

  /**
   * @param write takes JSON lines
   * @param options `saysId`: clients of API 1.30 and later get the image's id as a line of its own
   */
  constructor(write: (line: string) => void, { saysId = true }: { readonly saysId?: boolean } = {}) {
    this.#write = write;
    this.#saysId = saysId;
  }

  readonly onProgress = (event: BuildEvent): void => {
    if (event.kind === 'instruction') {
      if (event.total === 0) this.#waiting.push(event);
      else {
        for (const early of this.#waiting.splice(0)) this.#instruction({ ...early, total: event.total });
        this.#instruction(event);
      }
    } else if (event.kind === 'pull') this.#write(jsonLine(event.line));
    else if (event.kind === 'log') {
      const step = this.#stepOf.get(event.vertex);
      // Red, as dockerd has it.
      const text = event.data.toString('utf8');
      if (step !== undefined) this.#say(step, event.stream === 2 ? `\u001b[91m${text}\u001b[0m` : text);
    }
  };

  built({ image, names, unusedArgs }: Built): void {
    if (unusedArgs.length > 0)
      this.#line(`[Warning] One or more build-args [${unusedArgs.join(' ')}] were not consumed\n`);
    this.#line(`Successfully built ${shortId(image.id)}\n`);
    for (const name of names) this.#line(`Successfully tagged ${name}\n`);
  }

  failed(error: unknown): void {
    if (error instanceof RunFailed) {
      const message = `The command '${error.args.join(' ')}' returned a non-zero code: ${error.exitCode}`;
      this.#write(jsonLine({ errorDetail: { code: error.exitCode, message }, error: message }));
    } else this.#write(failureLine(error));
  }

  /** Outside of steps. */
  #line(text: string): void {
    this.#write(jsonLine({ stream: text }));
  }

  /** What failed beside the current step is told, too. */
  flush(): void {
    for (const [, step] of [...this.#steps].sort(([a], [b]) => a - b)) {
      for (const line of step.lines.splice(0)) this.#write(line);
    }
  }

  #instruction({ step, total, text, vertex, state, triggered, ...event }: InstructionEvent): void {
    if (vertex) this.#stepOf.set(vertex, step);
    if (state === 'started') {
      if (triggered) return;
      this.#say(step, `Step ${step}/${total} : ${text}\n`);
      if (event.triggers)
        this.#say(step, `# Executing ${event.triggers} build trigger${event.triggers > 1 ? 's' : ''}\n`);
    } else if (state === 'running') {
      this.#containers.set(step, event.containerId!);
      this.#say(step, ` ---> Running in ${shortId(event.containerId!)}\n`);
    } else {
      const container = this.#containers.get(step);
      if (event.cached) this.#say(step, ' ---> Using cache\n');
      else if (container) this.#say(step, ` ---> Removed intermediate container ${shortId(container)}\n`);
      this.#containers.delete(step);
      if (triggered) return;
      if (event.imageId !== undefined)
        this.#say(step, ` ---> ${event.imageId === null ? '' : shortId(event.imageId)}\n`);
      if (event.endsStage && event.imageId && this.#saysId)
        this.#put(step, jsonLine({ aux: { ID: event.imageId } }));
      this.#step(step).done = true;
      this.#advance();
    }
  }

  #say(step: number, text: string): void {
    this.#put(step, jsonLine({ stream: text }));
  }

  #put(step: number, line: string): void {
    if (step === this.#current) this.#write(line);
    else this.#step(step).lines.push(line);
  }

  #step(step: number): StepLines {
    const found = this.#steps.get(step) ?? { lines: [], done: false };
    this.#steps.set(step, found);
    return found;
  }

  #advance(): void {
    while (this.#steps.get(this.#current)?.done) {
      this.#steps.delete(this.#current++);
      for (const line of this.#steps.get(this.#current)?.lines.splice(0) ?? []) this.#write(line);
    }
  }
}
