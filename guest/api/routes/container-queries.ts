import type { Container } from '../../containers/container.ts';
import type { Containers } from '../../containers/containers.ts';
import type { Dependencies } from '../../containers/dependencies.ts';
import { legacyLinks } from '../../containers/links.ts';
import { listContainers } from '../../containers/list.ts';
import { isLive } from '../../containers/state.ts';
import { NotFound } from '../../errors.ts';
import type { ExecSessions } from '../../exec/exec-sessions.ts';
import type { SandboxSettings } from '../../network/network-manager.ts';
import { containerSummary } from '../container-summary.ts';
import { containerView } from '../container-view.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/** What is known of containers: list, inspect, changes. */
export function containerQueryRoutes({
  containers,
  execs,
  deps,
}: {
  readonly containers: Containers;
  readonly execs: ExecSessions;
  readonly deps: Dependencies;
}): Route[] {
  const find = ({ params }: ApiRequest) => containers.get(params.id!);
  return [
    { method: 'GET', path: '/containers/json', handle: list },
    { method: 'GET', path: '/containers/:id/json', handle: inspect },
    { method: 'GET', path: '/containers/:id/changes', handle: changes },
  ];

  async function list({ query }: ApiRequest): Promise<Reply> {
    const limit = query.integer('limit') ?? 0;
    const found = listContainers(containers, deps.images, {
      all: query.flag('all'),
      limit,
      filters: query.filters(),
      publishedPorts: ({ id }) => publishedPorts(deps.networks.inspectSandbox(id)),
      networkName,
      descendants: (id) => deps.images.descendants(id),
    });
    return { json: await containerSummaries(found, { ...deps, containers }, { size: query.flag('size') }) };
  }

  function networkName(reference: string): string | null {
    try {
      return deps.networks.findNetwork(reference).name;
    } catch (error) {
      if (error instanceof NotFound) return null;
      throw error;
    }
  }

  async function inspect(request: ApiRequest): Promise<Reply> {
    const container = find(request);
    return {
      json: containerView(container, {
        sandbox: deps.networks.inspectSandbox(container.id),
        execIds: execs.of(container),
        apiMinor: request.apiMinor,
        size: request.query.flag('size') ? await sizeOf(container, deps) : null,
      }),
    };
  }

  async function changes(request: ApiRequest): Promise<Reply> {
    const kinds = { modified: 0, added: 1, deleted: 2 };
    const found = await deps.snapshotter.changes(find(request).id);
    return { json: found.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] })) };
  }
}

function publishedPorts(sandbox: SandboxSettings | null): string[] {
  return Object.entries(sandbox?.ports ?? {}).flatMap(([name, bindings]) =>
    (bindings ?? []).map(({ HostPort }) => `${HostPort}/${name.split('/')[1]}`),
  );
}

/** Containers as `docker ps` lists them. */
export function containerSummaries(
  containers: readonly Container[],
  deps: Pick<Dependencies, 'networks' | 'snapshotter' | 'images'> & { readonly containers: Containers },
  { size }: { readonly size: boolean },
): Promise<object[]> {
  const now = new Date();
  const links = linkNames(deps.containers);
  const images = new Map<string, string | undefined>();
  const imageNow = (reference: string) => {
    if (!images.has(reference)) images.set(reference, idOf(reference, deps));
    return images.get(reference);
  };
  return Promise.all(
    containers.map(async (container) =>
      containerSummary(container, {
        // Others have none, and there may be hundreds of them.
        sandbox: isLive(container.record.state) ? deps.networks.inspectSandbox(container.id) : null,
        size: size ? await sizeOf(container, deps) : null,
        links: links.get(container.id) ?? [],
        isImageNamed: imageNow(container.record.config.Image) === container.record.imageId,
        now,
      }),
    ),
  );
}

/** By the linked container, the names that those who link to it have for it. */
function linkNames(containers: Containers): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { record } of containers.list()) {
    for (const { target, alias } of legacyLinks(record.hostConfig)) {
      const linked = containers.find(target);
      if (linked) names.set(linked.id, [...(names.get(linked.id) ?? []), `/${record.name}/${alias}`]);
    }
  }
  return names;
}

function idOf(reference: string, { images }: Pick<Dependencies, 'images'>): string | undefined {
  try {
    return images.resolve(reference).id;
  } catch {
    return undefined;
  }
}

async function sizeOf(
  { id }: Container,
  { snapshotter }: Pick<Dependencies, 'snapshotter'>,
): Promise<{ rw: number; rootfs: number }> {
  try {
    const rw = await snapshotter.usage(id);
    return { rw, rootfs: rw + snapshotter.lowerBytes(id) };
  } catch (error) {
    // Removed while it was counted.
    if (error instanceof NotFound) return { rw: 0, rootfs: 0 };
    throw error;
  }
}
