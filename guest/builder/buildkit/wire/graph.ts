import { int, message, nested, repeated, text } from './message.ts';

/** pb.Op (solver/pb/ops.proto), as far as a graph can stand for a result of ours. */
export const Op = message({
  inputs: repeated(nested(1, message({ digest: text(1), index: int(2) }))),
  source: nested(3, message({ identifier: text(1) })),
});
