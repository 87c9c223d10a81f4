import type { BuildKit } from '../../builder/buildkit/index.ts';
import { InvalidParameter } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { ApiRequest, Route } from '../handler.ts';

/**
 * BuildKit's door: connections that are upgraded to HTTP/2 without TLS of its own. On `/grpc` the engine serves; on
 * `/session` the client does, and the engine asks. Nothing of it is loaded before somebody comes.
 *
 * @param open gives the engine's one BuildKit
 */
export function buildKitRoutes(open: () => Promise<BuildKit>, log: Logger): Route[] {
  return [
    {
      method: 'POST',
      path: '/grpc',
      async handle(request) {
        requireH2c(request);
        const { methods } = await open();
        const { serveGrpc } = await import('../../builder/buildkit/grpc/server.ts');
        const connection = await request.hijack({ multiplexed: false });
        await serveGrpc(connection, methods, {
          signal: request.signal,
          onError: (error) => log.error({ error }, 'a BuildKit call failed'),
        });
        return { hijacked: true };
      },
    },
    {
      method: 'POST',
      path: '/session',
      async handle(request) {
        requireH2c(request);
        const { sessions } = await open();
        sessions.check(request.headers);
        const connection = await request.hijack({ multiplexed: false });
        await sessions.serve(connection, request.headers, request.signal);
        return { hijacked: true };
      },
    },
  ];
}

function requireH2c({ headers }: ApiRequest): void {
  const protocol = headers.upgrade;
  if (protocol === undefined) throw new InvalidParameter('no upgrade proto in request');
  if (protocol !== 'h2c') throw new InvalidParameter(`protocol ${protocol} not supported`);
}
