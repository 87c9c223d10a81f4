import { codes, GrpcError } from '../grpc/status.ts';
import { SecretRequest, SecretResponse } from '../wire/session.ts';
import type { Session } from './sessions.ts';

const getSecret = '/moby.buildkit.secrets.v1.Secrets/GetSecret';

/** A secret of the client's (`--secret`); null when it has none by that id. */
export async function readSecret(session: Session, id: string, signal: AbortSignal): Promise<Buffer | null> {
  if (!session.supports(getSecret)) return null;
  try {
    const answer = await session.client.unary(getSecret, SecretRequest, SecretResponse, { id }, { signal });
    return Buffer.from(answer.data);
  } catch (error) {
    if (error instanceof GrpcError && (error.code === codes.notFound || error.code === codes.unimplemented))
      return null;
    throw error;
  }
}
