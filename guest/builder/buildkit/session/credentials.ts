import { registryHostOf } from '../../../reference.ts';
import type { RegistryCredentials } from '../../build.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import { CredentialsRequest, CredentialsResponse } from '../wire/session.ts';
import type { Session } from './sessions.ts';

const getCredentials = '/moby.filesync.v1.Auth/Credentials';

/** What the client is logged in with at a registry; null = nothing. */
export async function readCredentials(
  session: Session,
  host: string,
  signal: AbortSignal,
): Promise<RegistryCredentials | null> {
  if (!session.supports(getCredentials)) return null;
  // By this name buildx finds what `docker login` without a server has kept.
  const request = { host: registryHostOf(host) };
  const { username, secret } = await session.client
    .unary(getCredentials, CredentialsRequest, CredentialsResponse, request, { signal })
    .catch((error: unknown) => {
      if (error instanceof GrpcError && error.code === codes.unimplemented) return CredentialsResponse.of({});
      throw error;
    });
  if (secret === '') return null;
  return username === '' ? { identityToken: secret } : { username, password: secret };
}
