import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Containers } from '../../containers/containers.ts';
import type { Dependencies } from '../../containers/dependencies.ts';
import { isLive } from '../../containers/state.ts';
import { type Sample, sample, statsShape } from '../../containers/stats.ts';
import { cgroupPids, top } from '../../containers/top.ts';
import { InvalidParameter } from '../../errors.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';

/** Between two readings of a stream. */
const streamedGapMs = 1000;
/** For a single answer: the docker CLI gives up after two seconds, of which a slow computer needs some itself. */
const singleGapMs = 500;

/** What a container's processes do: top and stats. */
export function containerProcessRoutes(
  containers: Containers,
  deps: Pick<Dependencies, 'cgroups' | 'host'>,
): Route[] {
  const find = ({ params }: ApiRequest) => containers.get(params.id!);
  return [
    { method: 'GET', path: '/containers/:id/top', handle: topOf },
    { method: 'GET', path: '/containers/:id/stats', handle: stats },
  ];

  async function topOf(request: ApiRequest): Promise<Reply> {
    const container = find(request);
    container.check('exec');
    const args = request.query.text('ps_args')?.split(' ').filter(Boolean) ?? [];
    const pids = cgroupPids(deps.cgroups.directory(container.id, 'pids'));
    container.publish('top');
    return { json: await top(pids, args.join(' ') === '-ef' ? [] : args) };
  }

  function stats(request: ApiRequest): Reply {
    const container = find(request);
    const { query, signal } = request;
    const streaming = query.text('stream') === undefined || query.flag('stream');
    const oneShot = request.apiMinor >= 41 && query.flag('one-shot');
    if (streaming && oneShot) throw new InvalidParameter('cannot have stream=true and one-shot=true');
    const take = (): Sample | null => {
      const { state, id } = container.record;
      return isLive(state) ? sample({ id, pid: state.pid }, deps) : null;
    };
    async function* readings() {
      const { record } = container;
      const shape = (now: Sample | null, previous: Sample | null) =>
        `${JSON.stringify(statsShape(record, now, previous, deps.host.cpuCount))}\n`;
      let previous = oneShot ? null : take();
      if (oneShot || previous === null) {
        yield shape(oneShot ? take() : null, null);
        return;
      }
      // Two readings: a rate is their difference.
      do {
        await delay(streaming ? streamedGapMs : singleGapMs, undefined, { signal });
        const now = take();
        yield shape(now, previous);
        previous = now;
      } while (streaming && previous !== null);
    }
    return { stream: Readable.from(readings(), { objectMode: false }), contentType: 'application/json' };
  }
}
