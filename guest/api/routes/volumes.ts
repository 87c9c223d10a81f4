import * as z from 'zod';
import { Conflict, NotFound, NotImplemented } from '../../errors.ts';
import type { EventSink } from '../../events/event.ts';
import { assertKnownFilters, flagFilter, hasLabels, isPrunable, matchesName } from '../../label-filter.ts';
import { diskUsage } from '../../volumes/disk-usage.ts';
import type { LocalVolumes } from '../../volumes/local-volumes.ts';
import { isAnonymous, type VolumeRecord } from '../../volumes/volume.ts';
import type { ApiRequest, Route } from '../handler.ts';

const words = z.record(z.string(), z.string()).nullish();
const createBody = z.looseObject({
  Name: z.string().optional(),
  Driver: z.string().optional(),
  DriverOpts: words,
  Labels: words,
  ClusterVolumeSpec: z.unknown().optional(),
});

/** `/volumes`: the driver `local` only. */
export function volumeRoutes(volumes: LocalVolumes, events: EventSink): Route[] {
  const view = (volume: VolumeRecord) => volumeView(volume, volumes.mountpoint(volume.name));
  return [
    { method: 'GET', path: '/volumes', handle: list },
    { method: 'POST', path: '/volumes/create', handle: create },
    { method: 'POST', path: '/volumes/prune', handle: prune },
    {
      method: 'GET',
      path: '/volumes/:name',
      handle: ({ params }) => ({ json: view(volumes.get(params.name!)) }),
    },
    { method: 'DELETE', path: '/volumes/:name', handle: remove },
  ];

  function list({ query }: ApiRequest) {
    const filters = query.filters();
    assertKnownFilters(filters, ['dangling', 'driver', 'label', 'name']);
    const dangling = flagFilter(filters, 'dangling');
    const drivers = filters.get('driver') ?? [];
    const names = filters.get('name') ?? [];
    const found = volumes
      .list()
      .filter(() => drivers.length === 0 || drivers.includes('local'))
      .filter((volume) => names.length === 0 || names.some((name) => matchesName(volume.name, name)))
      .filter((volume) => hasLabels(volume.labels, filters.get('label')))
      .filter((volume) => dangling === undefined || dangling !== volumes.isUsed(volume.name));
    return { json: { Volumes: found.map(view), Warnings: null } };
  }

  async function create(request: ApiRequest) {
    const body = await request.json(createBody);
    if (body.ClusterVolumeSpec) throw new NotImplemented('cluster volumes need a swarm, which is not there');
    if (body.Driver && body.Driver !== 'local') {
      throw new NotFound(
        `create ${body.Name ?? ''}: error looking up volume plugin ${body.Driver}: plugin "${body.Driver}" not found; this engine has the driver "local"`,
      );
    }
    const options = body.DriverOpts ?? {};
    const volume = await volumes.create({ name: body.Name ?? '', labels: body.Labels ?? {}, options });
    const asked = Object.entries(options);
    if (asked.some(([name, value]) => volume.options[name] !== value)) {
      throw new Conflict(`a volume named ${volume.name} already exists with other options; remove it first`);
    }
    return { status: 201, json: view(volume) };
  }

  async function remove({ params, query }: ApiRequest) {
    await volumes.remove(params.name!).catch((error) => {
      if (!(error instanceof NotFound && query.flag('force'))) throw error;
    });
    return { status: 204 };
  }

  async function prune({ query, apiMinor }: ApiRequest) {
    const filters = query.filters();
    assertKnownFilters(filters, ['all', 'label', 'label!']);
    // Before API 1.42 named volumes were pruned too.
    const all = flagFilter(filters, 'all') ?? apiMinor < 42;
    const removed: string[] = [];
    let reclaimed = 0;
    for (const volume of volumes.list()) {
      if (volumes.isUsed(volume.name) || !(all || isAnonymous(volume))) continue;
      if (!isPrunable(volume.labels, filters)) continue;
      const bytes = await diskUsage(volumes.mountpoint(volume.name));
      // A container may have taken it meanwhile: then it is none to prune.
      const gone = await volumes.remove(volume.name).then(
        () => true,
        (error) => {
          if (error instanceof Conflict || error instanceof NotFound) return false;
          throw error;
        },
      );
      if (!gone) continue;
      removed.push(volume.name);
      reclaimed += bytes;
    }
    events.publish({
      type: 'volume',
      action: 'prune',
      actor: { id: '', attributes: { reclaimed: String(reclaimed) } },
    });
    return { json: { VolumesDeleted: removed, SpaceReclaimed: reclaimed } };
  }
}

/**
 * For `docker system df`: volumes that take the engine's disk. What options mount in their place is
 * somebody else's, maybe all of it, and is not looked through.
 */
export function volumesWithUsage(volumes: LocalVolumes): Promise<object[]> {
  const own = volumes.list().filter(({ options }) => Object.keys(options).length === 0);
  return Promise.all(
    own.map(async (volume) => ({
      ...volumeView(volume, volumes.mountpoint(volume.name)),
      UsageData: {
        RefCount: volumes.userCount(volume.name),
        Size: await diskUsage(volumes.mountpoint(volume.name)),
      },
    })),
  );
}

/** The wire shape of one volume. */
function volumeView(volume: VolumeRecord, mountpoint: string) {
  return {
    CreatedAt: volume.createdAt.replace(/\.\d+Z$/, 'Z'),
    Driver: 'local',
    Labels: Object.keys(volume.labels).length > 0 ? volume.labels : null,
    Mountpoint: mountpoint,
    Name: volume.name,
    Options: Object.keys(volume.options).length > 0 ? volume.options : null,
    Scope: 'local',
  };
}
