import { Exporter } from './control.ts';
import { flag, int, map, message, nested, repeated, text, time } from './message.ts';
import { Status } from './status.ts';

/** moby.buildkit.v1, builds of the past (api/services/control/control.proto). */

/** `limit` is how many of the latest; 0 = all. */
export const BuildHistoryRequest = message({
  activeOnly: flag(1),
  ref: text(2),
  earlyExit: flag(3),
  limit: int(5),
});

export const BuildHistoryRecord = message({
  ref: text(1),
  frontend: text(2),
  frontendAttrs: map(3, text(2)),
  exporters: repeated(nested(4, Exporter)),
  error: nested(5, Status),
  createdAt: time(6),
  completedAt: time(7),
  exporterResponse: map(9, text(2)),
  pinned: flag(14),
  numCachedSteps: int(15),
  numTotalSteps: int(16),
  numCompletedSteps: int(17),
  numWarnings: int(19),
});

export const eventTypes = { started: 0, complete: 1, deleted: 2 } as const;

export const BuildHistoryEvent = message({ type: int(1), record: nested(2, BuildHistoryRecord) });

/** Neither `pinned` nor `delete`: nobody pins it any more. `finalize` wants what is still to be written, written. */
export const UpdateBuildHistoryRequest = message({
  ref: text(1),
  pinned: flag(2),
  delete: flag(3),
  finalize: flag(4),
});
export const UpdateBuildHistoryResponse = message({});
