import { InvalidParameter } from '../../errors.ts';
import type { HostStream } from '../../network/dns/host-stream.ts';
import { hostNamesProtocol } from '../../wire/index.ts';
import type { Route } from '../handler.ts';

/** `GET /machine/names`, our own: for the host in front of this one (wire/host-names.ts). */
export function hostNamesRoutes(host: HostStream): Route[] {
  return [
    {
      method: 'GET',
      path: '/machine/names',
      ofHost: true,
      // Programs of the machine wait for it.
      early: true,
      async handle(request) {
        if (request.headers.upgrade !== hostNamesProtocol)
          throw new InvalidParameter(`/machine/names is for an upgrade to ${hostNamesProtocol}`);
        host.serve(await request.hijack({ multiplexed: false }));
        return { hijacked: true };
      },
    },
  ];
}
