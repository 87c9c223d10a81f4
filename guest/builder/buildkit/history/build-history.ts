import { once } from 'node:events';
import { codes, GrpcError } from '../grpc/status.ts';
import type { StatusUpdate } from '../progress.ts';
import { BuildHistoryEvent, type BuildHistoryRequest, eventTypes } from '../wire/history.ts';
import type { Content } from '../wire/message.ts';
import type { HistoryFiles, HistoryRecord } from './history-files.ts';

type HistoryEvent = Content<typeof BuildHistoryEvent>;

/** As many as BuildKit keeps by default; those that somebody has pinned stay besides. */
const mostRecords = 50;

/**
 * What was built by this door, and is being built: `docker buildx history`. The one owner of its records: those that
 * are under way are in memory, those that have ended on the disk too.
 */
export class BuildHistory {
  readonly #files: HistoryFiles;
  readonly #active = new Map<string, HistoryRecord>();
  #past: Promise<Map<string, HistoryRecord>> | null = null;
  readonly #events = new EventTarget();

  constructor(files: HistoryFiles) {
    this.#files = files;
  }

  begin(record: HistoryRecord): void {
    this.#active.set(record.ref, record);
    this.#tell(eventTypes.started, record);
  }

  /** The build has ended. Earlier ones go when there are too many. */
  async complete(record: HistoryRecord, progress: StatusUpdate): Promise<void> {
    const past = await this.#read();
    await this.#files.write(record, progress);
    this.#active.delete(record.ref);
    past.set(record.ref, record);
    this.#tell(eventTypes.complete, record);
    const unpinned = byAge([...past.values()]).filter(({ pinned }) => !pinned);
    for (const { ref } of unpinned.slice(0, -mostRecords)) await this.remove(ref);
  }

  /** All that is known, latest last, then what happens, until the client has enough. */
  async *listen(
    { activeOnly, ref, earlyExit, limit }: Content<typeof BuildHistoryRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<HistoryEvent, void> {
    const wanted = (record: HistoryRecord | undefined) => ref === '' || record?.ref === ref;
    const coming: HistoryEvent[] = [];
    const hear = (event: Event) => coming.push((event as CustomEvent<HistoryEvent>).detail);
    this.#events.addEventListener('change', hear);
    try {
      const past = activeOnly ? [] : byAge([...(await this.#read()).values()]);
      const active = byAge([...this.#active.values()]);
      const found = [
        ...past.map((record) => BuildHistoryEvent.of({ type: eventTypes.complete, record })),
        ...active.map((record) => BuildHistoryEvent.of({ type: eventTypes.started, record })),
      ].filter(({ record }) => wanted(record));
      coming.splice(0);
      yield* limit > 0 ? found.slice(-limit) : found;
      while (!earlyExit) {
        if (coming.length === 0) await once(this.#events, 'change', { signal });
        for (const event of coming.splice(0)) if (wanted(event.record)) yield event;
      }
    } finally {
      this.#events.removeEventListener('change', hear);
    }
  }

  /** How a build went that has ended; null when it is not known. */
  async progress(ref: string): Promise<StatusUpdate | null> {
    return (await this.#read()).has(ref) ? this.#files.progress(ref) : null;
  }

  /** Throws GrpcError when there is no such build. */
  async pin(ref: string, pinned: boolean): Promise<void> {
    const record = { ...(await this.#find(ref)), pinned };
    await this.#files.write(record);
    (await this.#read()).set(ref, record);
  }

  /** Throws GrpcError when there is no such build. */
  async remove(ref: string): Promise<void> {
    const record = await this.#find(ref);
    (await this.#read()).delete(ref);
    await this.#files.remove(ref);
    this.#tell(eventTypes.deleted, record);
  }

  async #find(ref: string): Promise<HistoryRecord> {
    const record = (await this.#read()).get(ref);
    if (!record) throw new GrpcError(codes.notFound, `no build ${ref} in the history`);
    return record;
  }

  #read(): Promise<Map<string, HistoryRecord>> {
    this.#past ??= this.#files
      .read()
      .then((records) => new Map(records.map((record) => [record.ref, record])));
    return this.#past;
  }

  #tell(type: number, record: HistoryRecord): void {
    const detail = BuildHistoryEvent.of({ type, record });
    this.#events.dispatchEvent(new CustomEvent('change', { detail }));
  }
}

function byAge(records: readonly HistoryRecord[]): HistoryRecord[] {
  return [...records].sort((a, b) => (a.createdAt?.getTime() ?? 0) - (b.createdAt?.getTime() ?? 0));
}
