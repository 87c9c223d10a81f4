import type { Container } from '../../containers/container.ts';
import type { Containers } from '../../containers/containers.ts';
import { Failed, InvalidParameter, NotFound, NotModified } from '../../errors.ts';
import { bodies } from '../../schema/bodies.ts';
import { createOfVersion } from '../create-of-version.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

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
    { method: 'POST', path: '/containers/:id/stop', handle: act(stop) },
    { method: 'POST', path: '/containers/:id/restart', handle: act(restart) },
    { method: 'POST', path: '/containers/:id/kill', handle: kill },
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

  /** What goes wrong with a container that is there is a fault of the engine's own, for dockerd's clients. */
  async function stop(container: Container, request: ApiRequest): Promise<void> {
    try {
      await container.stop(stopOptions(request));
    } catch (error) {
      if (error instanceof NotModified) throw error;
      throw new Failed(`cannot stop container: ${request.params.id}`, error, 500);
    }
  }

  async function restart(container: Container, request: ApiRequest): Promise<void> {
    try {
      await container.restart(stopOptions(request));
    } catch (error) {
      throw new Failed(`Cannot restart container ${request.params.id}`, error, 500);
    }
  }

  async function kill(request: ApiRequest): Promise<Reply> {
    try {
      await find(request).kill(request.query.text('signal') || 'SIGKILL');
      return { status: 204 };
    } catch (error) {
      throw new Failed(`cannot kill container: ${request.params.id}`, error);
    }
  }

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
