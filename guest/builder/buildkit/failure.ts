import type { DockerfileSource } from '../build.ts';
import { BuildError } from '../build-error.ts';
import { codes, GrpcError, toGrpcError } from './grpc/status.ts';

/** By this name clients know what shows them lines of a Dockerfile; its value is JSON (buildkit, errdefs). */
const sourceType = 'github.com/moby/buildkit/errdefs.Source+json';

/** Codes that say no more than the message does; clients write any but "unknown" before it. */
const ofNoUse: readonly number[] = [
  codes.invalidArgument,
  codes.notFound,
  codes.permissionDenied,
  codes.unimplemented,
];

/** A build's end as people read it: a sentence. */
export function sentence(error: unknown): GrpcError {
  const { code, message, details } = toGrpcError(error);
  return new GrpcError(ofNoUse.includes(code) ? codes.unknown : code, message, details);
}

/** A build's failure as clients show it: with the lines of the Dockerfile that it is about. */
export function buildFailure(error: unknown, dockerfile: DockerfileSource | null): GrpcError {
  if (!(error instanceof BuildError)) return sentence(error);
  const { range } = error;
  if (!range || !dockerfile) return new GrpcError(codes.unknown, error.message);
  const source = {
    info: {
      filename: dockerfile.name,
      language: 'Dockerfile',
      data: Buffer.from(dockerfile.text).toString('base64'),
    },
    ranges: [{ start: { line: range.first }, end: { line: range.last } }],
  };
  return new GrpcError(codes.unknown, error.message, [
    { typeUrl: sourceType, value: Buffer.from(JSON.stringify(source)) },
  ]);
}
