import { type Digest, digestOf } from '../../digest.ts';
import { newId } from '../../ids.ts';
import type { BuildEvent } from '../build.ts';

/** A step that the door does itself, shown like those of the builder. */
export interface Vertex {
  /** Shows a part of it that counts; `finished` ends that part, `total` is 0 when not known. */
  status(id: string, current: number, finished?: boolean, total?: number): void;
}

/**
 * Tells that a step begins, and how it ended when `work` has. It is no other build's: a client may show several builds
 * in one display.
 */
export async function showVertex<T>(
  name: string,
  publish: (event: BuildEvent) => void,
  work: (vertex: Vertex) => Promise<T>,
): Promise<T> {
  const digest: Digest = digestOf(`door:${newId()}`);
  const startedAt = new Date();
  const vertex = { kind: 'vertex', digest, inputs: [], name, startedAt, cached: false } as const;
  const parts = new Map<string, Date>();
  publish(vertex);
  try {
    const result = await work({
      status(id, current, finished = false, total = 0) {
        const since = parts.get(id) ?? new Date();
        parts.set(id, since);
        publish({
          ...{ kind: 'status', vertex: digest, id, current, total, startedAt: since },
          ...(finished && { completedAt: new Date() }),
        });
      },
    });
    publish({ ...vertex, completedAt: new Date() });
    return result;
  } catch (error) {
    publish({ ...vertex, completedAt: new Date(), error: (error as Error).message });
    throw error;
  }
}
