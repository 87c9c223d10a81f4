import type { Digest } from '../digest.ts';
import { InvalidParameter } from '../errors.ts';
import type { ImageResolver } from '../images/image.ts';
import { assertKnownFilters, flagFilter, hasLabels } from '../label-filter.ts';
import type { Container } from './container.ts';
import type { Containers } from './containers.ts';
import { isLive } from './state.ts';

const known = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
];
const healths = ['starting', 'healthy', 'unhealthy', 'none'];
const statuses = ['created', 'dead', 'exited', 'paused', 'removing', 'restarting', 'running'];

/**
 * Containers for `docker ps`, newest first. Live ones only, unless all are asked for, a number of them, or those of a
 * status. Throws InvalidParameter for a filter that is not known, NotFound for `before=` nobody.
 */
export function listContainers(
  containers: Containers,
  images: ImageResolver,
  query: {
    readonly all: boolean;
    readonly limit: number;
    readonly filters: ReadonlyMap<string, readonly string[]>;
    /** Ports of the host that lead to a container now, such as `8080/tcp`. */
    readonly publishedPorts: (container: Container) => readonly string[];
    /** The name of a network, by that or by its id or the beginning of one; null when there is none. */
    readonly networkName: (reference: string) => string | null;
    /** Images that were made of one, and itself. */
    readonly descendants: (id: Digest) => ReadonlySet<Digest>;
  },
): Container[] {
  const { filters, limit } = query;
  assertKnownFilters(filters, known);
  const values = (name: string) => filters.get(name) ?? [];
  for (const status of values('status'))
    if (!statuses.includes(status)) throw new InvalidParameter(`invalid filter 'status=${status}'`);
  for (const health of values('health'))
    if (!healths.includes(health))
      throw new InvalidParameter(`unrecognized filter value for health: ${health}`);
  for (const code of values('exited'))
    if (!/^-?\d+$/.test(code)) throw new InvalidParameter(`invalid filter 'exited=${code}'`);
  const exposed = values('expose').map((value) => parsePorts('expose', value));
  const published = values('publish').map((value) => parsePorts('publish', value));
  const all = query.all || limit > 0 || filters.has('status');
  const createdAt = (reference: string) => containers.get(reference).record.createdAt;
  const before = values('before').map(createdAt);
  const since = values('since').map(createdAt);
  const ancestors = values('ancestor').flatMap((reference) => {
    try {
      return [...query.descendants(images.resolve(reference).id)];
    } catch {
      return [];
    }
  });
  const any = (name: string, matches: (value: string) => boolean) =>
    !filters.has(name) || values(name).some(matches);
  const wantedNetworks = values('network').map((reference) => query.networkName(reference) ?? reference);
  const wantsTask = flagFilter(filters, 'is-task');
  const found = containers.list().filter((container) => {
    const { record } = container;
    const { state, config, hostConfig, mounts, endpoints } = record;
    const networks = [
      hostConfig.NetworkMode === 'default' ? 'bridge' : hostConfig.NetworkMode || 'bridge',
      ...Object.keys(endpoints),
    ];
    return (
      (all || isLive(state) || state.status === 'restarting') &&
      wantsTask !== true &&
      any('id', (value) => record.id.startsWith(value)) &&
      any('name', (value) => matchesName(record.name, value)) &&
      any('status', (value) => state.status === value) &&
      any('exited', (value) => state.status === 'exited' && state.exitCode === Number(value)) &&
      any('health', (value) => value === (record.health?.Status ?? 'none')) &&
      (!filters.has('network') || wantedNetworks.some((name) => networks.includes(name))) &&
      any('volume', (value) =>
        mounts.some(({ name, source, destination }) => [name || source, destination].includes(value)),
      ) &&
      (!filters.has('expose') || config.ExposedPorts.some((port) => isAmong(port, exposed))) &&
      (!filters.has('publish') || query.publishedPorts(container).some((port) => isAmong(port, published))) &&
      hasLabels(config.Labels, filters.get('label')) &&
      (!filters.has('ancestor') || ancestors.includes(record.imageId)) &&
      before.every((time) => record.createdAt < time) &&
      since.every((time) => record.createdAt > time)
    );
  });
  found.sort((a, b) => (a.record.createdAt < b.record.createdAt ? 1 : -1));
  return limit > 0 ? found.slice(0, limit) : found;
}

/** A regular expression, as dockerd takes it; text that is none is sought as it is. */
function matchesName(name: string, wanted: string): boolean {
  try {
    return new RegExp(wanted).test(name) || new RegExp(wanted).test(`/${name}`);
  } catch {
    return name.includes(wanted);
  }
}

interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** `80`, `80/udp` or `80-90/tcp`. */
function parsePorts(filter: string, text: string): PortRange {
  const [, first, last = first, protocol = 'tcp'] = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(text) ?? [];
  if (first === undefined)
    throw new InvalidParameter(`error while looking up for ${filter} ${text}: not a port`);
  return { first: Number(first), last: Number(last), protocol };
}

function isAmong(port: string, ranges: readonly PortRange[]): boolean {
  const { first, protocol } = parsePorts('port', port);
  return ranges.some((range) => range.protocol === protocol && range.first <= first && first <= range.last);
}
