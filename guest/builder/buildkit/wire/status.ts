import { bytes, int, message, nested, repeated, text } from './message.ts';

/** google.protobuf.Any */
const Any = message({ typeUrl: text(1), value: bytes(2) });

/** google.rpc.Status: how a call ended, with details for programs. */
export const Status = message({ code: int(1), message: text(2), details: repeated(nested(3, Any)) });
