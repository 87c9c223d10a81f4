import type { Containers } from '../../containers/containers.ts';
import { updatedHostConfig } from '../../containers/update.ts';
import type { HostSystem } from '../../host/system.ts';
import { bodies } from '../../schema/bodies.ts';
import type { Reply, Route } from '../handler.ts';

/** `docker update`: limits and the restart policy of a container that exists. */
export function updateRoutes(containers: Containers, host: HostSystem): Route[] {
  return [
    {
      method: 'POST',
      path: '/containers/:id/update',
      handle: async (request): Promise<Reply> => {
        const asked = await request.json((await bodies()).updateBody);
        const container = containers.get(request.params.id!);
        const body = request.apiMinor < 40 ? { ...asked, PidsLimit: null } : asked;
        await container.update((record) => updatedHostConfig(record, body, host));
        return { json: { Warnings: null } };
      },
    },
  ];
}
