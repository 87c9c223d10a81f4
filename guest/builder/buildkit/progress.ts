import { once } from 'node:events';
import type { Digest } from '../../digest.ts';
import type { BuildEvent, DockerfileSource } from '../build.ts';
import { StatusResponse } from './wire/control.ts';
import type { Content } from './wire/message.ts';

export type StatusUpdate = Content<typeof StatusResponse>;

/** BuildKit's own limit of what it keeps of a step's output. */
const logBytes = 2 * 1024 * 1024;

const clipped = Buffer.from('[output clipped, log limit 2MiB reached]\n');

/** What a build tells of itself, kept for clients that ask late or twice, until the build is forgotten. */
export class Progress {
  readonly #updates: StatusUpdate[] = [];
  readonly #changes = new EventTarget();
  readonly #logged = new Map<string, number>();
  #ended = false;
  #first: Digest | undefined;

  /** @param dockerfile that warnings point into */
  publish(event: BuildEvent, dockerfile?: DockerfileSource): void {
    if (event.kind === 'log') this.#log(event);
    else {
      if (event.kind === 'vertex') this.#first ??= event.digest;
      const update = toUpdate(event, dockerfile, this.#first);
      if (update) this.#add(update);
    }
  }

  end(): void {
    this.#ended = true;
    this.#changes.dispatchEvent(new Event('change'));
  }

  /** Everything so far, as one update. */
  get all(): StatusUpdate {
    return joined(this.#updates);
  }

  /** Everything from the beginning, then what comes, to the end of the build. */
  async *follow(signal: AbortSignal): AsyncGenerator<StatusUpdate, void> {
    for (let next = 0; ; ) {
      signal.throwIfAborted();
      const updates = this.#updates.slice(next);
      if (updates.length > 0) {
        next += updates.length;
        yield joined(updates);
      } else if (this.#ended) return;
      else await once(this.#changes, 'change', { signal });
    }
  }

  #log(event: BuildEvent & { readonly kind: 'log' }): void {
    const before = this.#logged.get(event.vertex) ?? 0;
    if (before > logBytes) return;
    this.#logged.set(event.vertex, before + event.data.length);
    const data = before + event.data.length > logBytes ? clipped : event.data;
    this.#add(toUpdate({ ...event, data }, undefined)!);
  }

  #add(update: StatusUpdate): void {
    this.#updates.push(update);
    this.#changes.dispatchEvent(new Event('change'));
  }
}

function joined(updates: readonly StatusUpdate[]): StatusUpdate {
  return {
    vertexes: updates.flatMap(({ vertexes }) => vertexes),
    statuses: updates.flatMap(({ statuses }) => statuses),
    logs: updates.flatMap(({ logs }) => logs),
    warnings: updates.flatMap(({ warnings }) => warnings),
  };
}

/**
 * Null for what BuildKit's clients have no place for.
 *
 * @param dockerfile that warnings point into
 * @param first the build's first vertex, which got that
 */
export function toUpdate(
  event: BuildEvent,
  dockerfile: DockerfileSource | undefined,
  first?: Digest,
): StatusUpdate | null {
  switch (event.kind) {
    case 'log': {
      const { vertex, stream, at: timestamp, data } = event;
      return StatusResponse.of({ logs: [{ vertex, stream, timestamp, data }] });
    }
    case 'vertex': {
      const { digest, inputs, name, cached, startedAt, completedAt, error = '' } = event;
      return StatusResponse.of({
        vertexes: [
          { digest, inputs: [...inputs], name, cached, started: startedAt, completed: completedAt, error },
        ],
      });
    }
    case 'status': {
      const { vertex, id, current, total, startedAt, completedAt } = event;
      const timestamp = completedAt ?? new Date();
      return StatusResponse.of({
        statuses: [
          { id, vertex, name: '', current, total, timestamp, started: startedAt, completed: completedAt },
        ],
      });
    }
    case 'warning': {
      const { short, detail, url, range } = event;
      return StatusResponse.of({
        warnings: [
          {
            ...{ vertex: first ?? '', level: 1, url, short: Buffer.from(short) },
            detail: detail.map((line) => Buffer.from(line)),
            source: dockerfile && { filename: dockerfile.name, data: Buffer.from(dockerfile.text) },
            ranges: range ? [{ start: { line: range.first }, end: { line: range.last } }] : [],
          },
        ],
      });
    }
    case 'instruction':
    case 'pull':
      return null;
  }
}
