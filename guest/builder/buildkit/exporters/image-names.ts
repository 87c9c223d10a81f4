import { parseReference, type Reference, withDefaultTag } from '../../../reference.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import type { Attributes } from './attributes.ts';

export type TaggedName = Reference & { readonly tag: string };

/** The names that the result gets, which buildx has from `--tag`. Throws GrpcError and InvalidParameter. */
export function takeNames(attributes: Attributes): TaggedName[] {
  const names = (attributes.take('name') ?? '').split(',').filter(Boolean).map(parseReference);
  if (names.some(({ digest }) => digest))
    throw new GrpcError(codes.invalidArgument, 'an image cannot be named by a digest');
  return names.map((name) => ({ ...name, tag: withDefaultTag(name).tag ?? 'latest' }));
}
