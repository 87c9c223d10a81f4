import type { StatusUpdate } from '../progress.ts';
import type { SolveRequest } from '../wire/control.ts';
import { BuildHistoryRecord } from '../wire/history.ts';
import type { Content } from '../wire/message.ts';
import type { HistoryRecord } from './history-files.ts';

type Asked = Pick<Content<typeof SolveRequest>, 'ref' | 'frontend' | 'frontendAttrs' | 'exporters'>;

/** A build that begins. */
export function startedRecord({ ref, frontend, frontendAttrs, exporters }: Asked): HistoryRecord {
  return BuildHistoryRecord.of({ ref, frontend, frontendAttrs, exporters, createdAt: new Date() });
}

/** The same when it has ended, with what its progress adds up to. */
export function completedRecord(
  record: HistoryRecord,
  progress: StatusUpdate,
  outcome: Partial<Pick<HistoryRecord, 'error' | 'exporterResponse'>>,
): HistoryRecord {
  const steps = new Map(progress.vertexes.map((vertex) => [vertex.digest, vertex]));
  const count = (matches: (vertex: StatusUpdate['vertexes'][number]) => boolean) =>
    [...steps.values()].filter(matches).length;
  return {
    ...record,
    ...outcome,
    completedAt: new Date(),
    numTotalSteps: steps.size,
    numCachedSteps: count(({ cached }) => cached),
    numCompletedSteps: count(({ completed }) => completed !== undefined),
    numWarnings: progress.warnings.length,
  };
}
