import { digestOf } from '../../digest.ts';
import type { Definition } from './wire/control.ts';
import { Op } from './wire/graph.ts';
import type { Content } from './wire/message.ts';

const scheme = 'machine-result://';

/** A result of a build, by the build's reference and its own id. */
export interface ResultPlace {
  readonly ref: string;
  readonly id: string;
}

/**
 * A graph that stands for a result: a source that only this engine knows, and the end that every graph has. A client
 * hands it on unread, when another of its builds has the result for a context (`target:NAME` in bake files).
 */
export function resultGraph({ ref, id }: ResultPlace): Content<typeof Definition> {
  const source = Op.encode(Op.of({ source: { identifier: `${scheme}${encodeURIComponent(ref)}/${id}` } }));
  const end = Op.encode(Op.of({ inputs: [{ digest: digestOf(source), index: 0 }] }));
  const metadata = new Map([source, end].map((bytes) => [digestOf(bytes), {}]));
  return { def: [source, end], metadata };
}

/** The result that a graph stands for; null for a graph of any other kind. Throws MalformedMessage. */
export function placeOfGraph({ def }: Pick<Content<typeof Definition>, 'def'>): ResultPlace | null {
  const sources = def.flatMap((bytes) => Op.decode(bytes).source ?? []);
  const [, ref, id] = /^machine-result:\/\/([^/]+)\/([0-9a-f]+)$/.exec(sources[0]?.identifier ?? '') ?? [];
  return ref && id && sources.length === 1 && def.length === 2 ? { ref: decodeURIComponent(ref), id } : null;
}
