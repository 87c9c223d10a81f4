import type { Container } from '../../containers/container.ts';
import type { Containers } from '../../containers/containers.ts';
import { InvalidParameter, NotFound } from '../../errors.ts';
import { createOfVersion } from '../create-of-version.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';
import { bodies } from '../schema/bodies.ts';

/** What changes a container's life: create, start, stop, ..., remove. */
export function containerRoutes(containers: Containers): Route[] {
  const find = ({ params }: ApiRequest) => containers.get(params.id!);
  /** A route on one container that answers with nothing. */
  const act =
    (work: (container: Container, request: ApiRequest) => Promise<void>) =>
    async (request: ApiRequest): Promise<Reply> => {
      await work(find(request), request);
      return { status: 204 };
    };
  const stopOptions = ({ query, apiMinor }: ApiRequest) => ({
    signal: (apiMinor >= 42 && query.text('signal')) || undefined,
    seconds: query.integer('t'),
  });
  return [
    { method: 'POST', path: '/containers/create', handle: create },
    { method: 'POST', path: '/containers/:id/start', handle: act((container) => container.start()) },
    {
      method: 'POST',
      path: '/containers/:id/stop',
      handle: act((container, request) => container.stop(stopOptions(request))),
    },
    {
      method: 'POST',
      path: '/containers/:id/restart',
      handle: act((container, request) => container.restart(stopOptions(request))),
    },
    {
      method: 'POST',
      path: '/containers/:id/kill',
      handle: act((container, { query, params }) =>
        container.kill(query.text('signal') || 'SIGKILL').catch((error: unknown) => {
          if (!(error instanceof InvalidParameter)) throw error;
          throw new InvalidParameter(`cannot kill container: ${params.id}: ${error.message}`, {
            cause: error,
          });
        }),
      ),
    },
    { method: 'POST', path: '/containers/:id/pause', handle: act((container) => container.pause()) },
    { method: 'POST', path: '/containers/:id/unpause', handle: act((container) => container.unpause()) },
    {
      method: 'POST',
      path: '/containers/:id/rename',
      handle: act((container, { query }) => containers.rename(container, query.text('name') ?? '')),
    },
    { method: 'DELETE', path: '/containers/:id', handle: act(remove) },
    { method: 'DELETE', path: '/containers/:id/:alias', handle: act(unlink) },
  ];

  async function create(request: ApiRequest): Promise<Reply> {
    const asked = await request.json((await bodies()).createBody);
    const { query, apiMinor } = request;
    const { body, writableBelow, warnings } = createOfVersion(asked, apiMinor);
    const created = await containers.create(body, {
      name: query.text('name'),
      platform: apiMinor < 41 ? undefined : query.text('platform'),
      writableBelow,
    });
    return { status: 201, json: { Id: created.id, Warnings: [...created.warnings, ...warnings] } };
  }

  async function remove(container: Container, { query }: ApiRequest): Promise<void> {
    if (query.flag('link'))
      throw new InvalidParameter(
        'conflicting options: --link removes a link and needs its name; try docker rm --link CONTAINER/ALIAS',
      );
    await container.remove({ force: query.flag('force'), volumes: query.flag('v') });
  }

  async function unlink(container: Container, { params, query }: ApiRequest): Promise<void> {
    const alias = params.alias!;
    if (!query.flag('link')) throw new NotFound(`No such container: ${container.record.name}/${alias}`);
    await container.unlink(alias);
  }
}
