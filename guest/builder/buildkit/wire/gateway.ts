import { Definition, Worker } from './control.ts';
import { bytes, flag, map, message, nested, repeated, text } from './message.ts';
import { Status } from './status.ts';

/** moby.buildkit.v1.frontend (frontend/gateway/pb/gateway.proto): what a front end, here the client, may ask. */

/** Something an endpoint can do; clients ask before they use it. */
const Capability = message({ id: text(1), enabled: flag(2) });

export const PingRequest = message({});
export const PongResponse = message({
  frontendCaps: repeated(nested(1, Capability)),
  llbCaps: repeated(nested(2, Capability)),
  workers: repeated(nested(3, Worker)),
});

export const SolveRequest = message({
  definition: nested(1, Definition),
  frontend: text(2),
  frontendOpt: map(3, text(2)),
  frontendInputs: map(13, nested(2, Definition)),
  evaluate: flag(14),
});

const Ref = message({ id: text(1), def: nested(2, Definition) });

/** One of `ref` and `refs`. */
export const Result = message({
  ref: nested(3, Ref),
  refs: nested(4, message({ refs: map(1, nested(2, Ref)) })),
  metadata: map(10, bytes(2)),
});

export const SolveResponse = message({ ref: text(1), result: nested(3, Result) });

export const ReturnRequest = message({ result: nested(1, Result), error: nested(2, Status) });
export const ReturnResponse = message({});

export const EvaluateRequest = message({ ref: text(1) });
export const EvaluateResponse = message({});

export const InputsRequest = message({});
export const InputsResponse = message({ definitions: map(1, nested(2, Definition)) });

export const WarnRequest = message({ digest: text(1), short: bytes(3) });
export const WarnResponse = message({});
