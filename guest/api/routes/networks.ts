import type { Containers } from '../../containers/containers.ts';
import { endpointRequest } from '../../containers/memberships.ts';
import { Forbidden, InvalidParameter } from '../../errors.ts';
import type { EventSink } from '../../events/event.ts';
import { assertKnownFilters, flagFilter, hasLabels, isPrunable } from '../../label-filter.ts';
import { isPredefined, type NetworkRecord } from '../../network/network.ts';
import type { Networks } from '../../network/networks.ts';
import { untilFilter } from '../../until-filter.ts';
import type { ApiRequest, Route } from '../handler.ts';
import {
  connectBody,
  disconnectBody,
  networkCreateBody,
  networkRequest,
  unusedAddressing,
} from '../network-body.ts';
import { networkView } from '../network-view.ts';

/** `/networks`. */
export function networkRoutes(options: {
  readonly networks: Networks;
  readonly containers: Containers;
  readonly events: EventSink;
}): Route[] {
  const { networks, containers, events } = options;
  return [
    { method: 'GET', path: '/networks', handle: list },
    { method: 'POST', path: '/networks/create', handle: create },
    { method: 'POST', path: '/networks/prune', handle: prune },
    { method: 'GET', path: '/networks/', handle: list },
    { method: 'GET', path: '/networks/**id', handle: inspect },
    { method: 'DELETE', path: '/networks/**id', handle: remove },
    { method: 'POST', path: '/networks/**id/connect', handle: connect },
    { method: 'POST', path: '/networks/**id/disconnect', handle: disconnect },
  ];

  function list({ query, apiMinor }: ApiRequest) {
    const filters = query.filters();
    assertKnownFilters(filters, ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type']);
    const dangling = flagFilter(filters, 'dangling');
    const some = (name: string, matches: (value: string) => boolean) => {
      const values = filters.get(name) ?? [];
      return values.length === 0 || values.some(matches);
    };
    for (const type of filters.get('type') ?? []) {
      if (type !== 'custom' && type !== 'builtin')
        throw new InvalidParameter(`invalid filter: 'type'='${type}'`);
    }
    const found = networks
      .list()
      .filter((network) => some('driver', (value) => network.driver === value))
      .filter((network) => some('id', (value) => network.id.startsWith(value)))
      .filter((network) => some('name', (value) => network.name.includes(value)))
      .filter(() => some('scope', (value) => value === 'local'))
      .filter((network) => some('type', (value) => isPredefined(network.name) === (value === 'builtin')))
      .filter((network) => hasLabels(network.labels, filters.get('label')))
      .filter((network) => dangling === undefined || dangling === isDangling(network));
    return {
      json: found.map((network) => networkView(network, apiMinor < 28 ? networks.endpoints(network) : [])),
    };
  }

  async function create(request: ApiRequest) {
    const wish = networkRequest(await request.json(networkCreateBody));
    const { id } = await networks.create(wish);
    return { status: 201, json: { Id: id, Warning: unusedAddressing(wish) } };
  }

  function inspect({ params, query }: ApiRequest) {
    const scope = query.text('scope') || 'local';
    if (scope !== 'local')
      throw new InvalidParameter(`this engine has networks of scope local only, not "${scope}"`);
    const network = networks.get(params.id!);
    return { json: networkView(network, networks.endpoints(network)) };
  }

  async function remove({ params }: ApiRequest) {
    await networks.remove(params.id!);
    return { status: 204 };
  }

  async function prune({ query }: ApiRequest) {
    const filters = query.filters();
    assertKnownFilters(filters, ['label', 'label!', 'until']);
    const until = untilFilter(filters);
    const removed: string[] = [];
    for (const network of networks.list()) {
      if (!isDangling(network) || !isPrunable(network.labels, filters)) continue;
      if (Date.parse(network.createdAt) >= until) continue;
      // A container may have joined it meanwhile: then it is none to prune.
      const gone = await networks.remove(network.id).then(
        () => true,
        (error) => {
          if (error instanceof Forbidden) return false;
          throw error;
        },
      );
      if (gone) removed.push(network.name);
    }
    events.publish({ type: 'network', action: 'prune', actor: { id: '', attributes: { reclaimed: '0' } } });
    return { json: { NetworksDeleted: removed } };
  }

  async function connect(request: ApiRequest) {
    const body = await request.json(connectBody);
    const container = containers.get(body.Container);
    const network = networks.get(request.params.id!);
    await container.connectNetwork(network.id, endpointRequest(body.EndpointConfig));
    return { status: 200 };
  }

  /** `Force` asks for no more: no endpoint outlives its container's sandbox. */
  async function disconnect(request: ApiRequest) {
    const body = await request.json(disconnectBody);
    if (body.Force) networks.get(request.params.id!);
    const container = containers.get(body.Container);
    await container.disconnectNetwork(networks.get(request.params.id!).id);
    return { status: 200 };
  }

  function isDangling(network: NetworkRecord): boolean {
    return !isPredefined(network.name) && networks.endpoints(network).length === 0;
  }
}
