import { InvalidParameter } from '../../errors.ts';
import type { HostFiles } from '../../host-services/host-changes.ts';
import { hostChangesProtocol } from '../../wire/index.ts';
import type { Route } from '../handler.ts';

/** `GET /machine/changes`, our own: for the host in front of this one (wire/host-changes.ts). */
export function hostChangesRoutes(files: HostFiles): Route[] {
  return [
    {
      method: 'GET',
      path: '/machine/changes',
      ofHost: true,
      async handle(request) {
        if (request.headers.upgrade !== hostChangesProtocol)
          throw new InvalidParameter(`/machine/changes is for an upgrade to ${hostChangesProtocol}`);
        files.serve(await request.hijack({ multiplexed: false }));
        return { hijacked: true };
      },
    },
  ];
}
