import { httpStatus } from '../../../errors.ts';
import { Status } from '../wire/status.ts';

/** Status codes of gRPC that occur here (grpc.io, "Status codes and their use in gRPC"). */
export const codes = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** How a call failed, ours or a client's. `details` are messages by type URL, for programs. */
export class GrpcError extends Error {
  readonly code: number;
  readonly details: readonly { readonly typeUrl: string; readonly value: Uint8Array }[];

  constructor(code: number, message: string, details: GrpcError['details'] = []) {
    super(message);
    this.name = 'GrpcError';
    this.code = code;
    this.details = details;
  }
}

/** Anything thrown, as a call's end. */
export function toGrpcError(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new GrpcError(byHttpStatus[httpStatus(error)] ?? codes.unknown, message);
}

const byHttpStatus: Readonly<Record<number, number>> = {
  400: codes.invalidArgument,
  403: codes.permissionDenied,
  404: codes.notFound,
  409: codes.alreadyExists,
  501: codes.unimplemented,
  503: codes.unavailable,
};

export function statusHeaders(error: GrpcError | null): Record<string, string> {
  if (!error) return { 'grpc-status': '0' };
  const { code, message, details } = error;
  const status = Status.encode({ code, message, details: [...details] });
  return {
    'grpc-status': String(code),
    'grpc-message': percentEncode(message),
    ...(details.length > 0 && { 'grpc-status-details-bin': status.toString('base64') }),
  };
}

/** Null when the headers say that all went well. */
export function statusOf(
  headers: Readonly<Record<string, string | string[] | number | undefined>>,
): GrpcError | null {
  const code = Number(headers['grpc-status'] ?? codes.unknown);
  if (code === codes.ok) return null;
  return new GrpcError(code, percentDecode(String(headers['grpc-message'] ?? `status ${code}`)));
}

/** gRPC over HTTP/2, "Responses": all but printable ASCII, and "%", are escaped. */
function percentEncode(text: string): string {
  return Array.from(Buffer.from(text), (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x25
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  ).join('');
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
