import { NotFound, NotImplemented, Unavailable } from '../../errors.ts';
import type { Route } from '../handler.ts';

/** moby's own words (daemon/cluster/errors.go): clients look for them to tell that there is no swarm. */
export const noSwarm =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

const swarmEndpoints = `
GET /swarm
POST /swarm/update
GET /swarm/unlockkey
POST /swarm/unlock
GET /nodes
GET /nodes/:id
DELETE /nodes/:id
POST /nodes/:id/update
GET /services
POST /services/create
GET /services/:id
DELETE /services/:id
POST /services/:id/update
GET /services/:id/logs
GET /tasks
GET /tasks/:id
GET /tasks/:id/logs
GET /secrets
POST /secrets/create
GET /secrets/:id
DELETE /secrets/:id
POST /secrets/:id/update
GET /configs
POST /configs/create
GET /configs/:id
DELETE /configs/:id
POST /configs/:id/update`;

const swarmBeginnings = ['POST /swarm/init', 'POST /swarm/join'];

const pluginInstallations = `
GET /plugins/privileges
POST /plugins/pull
POST /plugins/create
POST /plugins/**name/upgrade`;

const pluginEndpoints = `
GET /plugins/**name/json
DELETE /plugins/**name
POST /plugins/**name/enable
POST /plugins/**name/disable
POST /plugins/**name/push
POST /plugins/**name/set`;

/** Swarm and plugins are out of scope; clients that ask are told what dockerd without them tells. */
export function swarmStubRoutes(): Route[] {
  return [
    ...table(swarmEndpoints, () => new Unavailable(noSwarm)),
    ...table('POST /swarm/leave', () => new Unavailable('This node is not part of a swarm')),
    ...swarmBeginnings.flatMap((line) =>
      table(line, () => new NotImplemented('this engine has no swarm mode; use docker compose')),
    ),
    { method: 'GET', path: '/plugins', handle: () => ({ json: [] }) },
    ...table(pluginInstallations, () => new NotImplemented('this engine has no plugins')),
    ...table(pluginEndpoints, ({ name }) => new NotFound(`plugin "${name}" not found`)),
  ];
}

function table(lines: string, error: (params: Readonly<Record<string, string>>) => Error): Route[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const [method, path] = line.split(' ') as [Route['method'], string];
      return { method, path, handle: ({ params }) => Promise.reject(error(params)) };
    });
}
