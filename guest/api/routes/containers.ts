import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Container, WaitCondition } from '../../containers/container.ts';
import type { Containers } from '../../containers/containers.ts';
import type { Dependencies } from '../../containers/dependencies.ts';
import { defaultDetachKeys, parseDetachKeys } from '../../containers/detach-keys.ts';
import { listContainers } from '../../containers/list.ts';
import { inspectShape, summaryShape } from '../../containers/shape.ts';
import { isLive } from '../../containers/state.ts';
import { type Sample, sample, statsShape } from '../../containers/stats.ts';
import { cgroupPids, top } from '../../containers/top.ts';
import { Conflict, InvalidParameter, NotImplemented } from '../../errors.ts';
import type { ExecSessions } from '../../exec/exec-sessions.ts';
import { applyChanges } from '../../images/changes.ts';
import type { ImageCommitter } from '../../images/image.ts';
import { logStream, parseLogTime } from '../../logs/log-stream.ts';
import type { ApiRequest, Reply, Route } from '../handler.ts';
import { assertKnownFilters, isPrunable } from '../label-filter.ts';
import { containerConfig, createBody } from '../schema/container.ts';
import { rawStream, streamContentType } from '../versions.ts';

const conditions = ['not-running', 'next-exit', 'removed'] as const;

/** `/containers`: everything but exec, which has a file of its own. */
export function containerRoutes(options: {
  readonly containers: Containers;
  readonly execs: ExecSessions;
  readonly deps: Dependencies;
  readonly committer: ImageCommitter;
}): Route[] {
  const { containers, execs, deps, committer } = options;
  const find = ({ params }: ApiRequest) => containers.get(params.id!);
  const done = { status: 204 };
  /** A route on one container that answers with nothing. */
  const act =
    (work: (container: Container, request: ApiRequest) => Promise<void>) =>
    async (request: ApiRequest): Promise<Reply> => {
      await work(find(request), request);
      return done;
    };
  const stopOptions = ({ query }: ApiRequest) => ({
    signal: query.text('signal') || undefined,
    seconds: query.integer('t'),
  });
  return [
    { method: 'POST', path: '/containers/create', handle: create },
    { method: 'GET', path: '/containers/json', handle: list },
    { method: 'POST', path: '/containers/prune', handle: prune },
    { method: 'GET', path: '/containers/:id/json', handle: inspect },
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
      handle: act((container, { query }) => container.kill(query.text('signal') || 'SIGKILL')),
    },
    { method: 'POST', path: '/containers/:id/pause', handle: act((container) => container.pause()) },
    { method: 'POST', path: '/containers/:id/unpause', handle: act((container) => container.unpause()) },
    {
      method: 'POST',
      path: '/containers/:id/rename',
      handle: act((container, { query }) => containers.rename(container, query.text('name') ?? '')),
    },
    { method: 'POST', path: '/containers/:id/resize', handle: resize },
    { method: 'POST', path: '/containers/:id/wait', handle: wait },
    { method: 'POST', path: '/containers/:id/attach', handle: attach },
    { method: 'GET', path: '/containers/:id/logs', handle: logs },
    { method: 'GET', path: '/containers/:id/top', handle: topOf },
    { method: 'GET', path: '/containers/:id/stats', handle: stats },
    { method: 'GET', path: '/containers/:id/changes', handle: changes },
    { method: 'DELETE', path: '/containers/:id', handle: act(remove) },
    { method: 'POST', path: '/commit', handle: commit },
    ...['update', 'export', 'archive'].flatMap((name): Route[] =>
      (['GET', 'HEAD', 'PUT', 'POST'] as const).map((method) => ({
        method,
        path: `/containers/:id/${name}`,
        handle: (request) => {
          find(request);
          throw new NotImplemented(`${name} of containers is not supported by this engine yet`);
        },
      })),
    ),
  ];

  async function create(request: ApiRequest): Promise<Reply> {
    const body = await request.json(createBody);
    const { id, warnings } = await containers.create(body, request.query.text('name'));
    return { status: 201, json: { Id: id, Warnings: warnings } };
  }

  async function list({ query }: ApiRequest): Promise<Reply> {
    const limit = query.integer('limit') ?? 0;
    const found = listContainers(containers, deps.images, {
      all: query.flag('all'),
      limit,
      filters: query.filters(),
    });
    return { json: await containerSummaries(found, deps, { size: query.flag('size') }) };
  }

  async function inspect(request: ApiRequest): Promise<Reply> {
    const container = find(request);
    return {
      json: inspectShape(container, {
        sandbox: deps.networks.inspectSandbox(container.id),
        execIds: execs.of(container),
        size: request.query.flag('size') ? await sizeOf(container, deps) : null,
        dataRoot: deps.paths.dataRoot,
      }),
    };
  }

  async function resize(request: ApiRequest): Promise<Reply> {
    const { query } = request;
    await find(request).resize({ rows: query.integer('h') ?? 0, columns: query.integer('w') ?? 0 });
    return { status: 200 };
  }

  /** The header goes out at once: the CLI waits for it before it starts the container. */
  function wait(request: ApiRequest): Reply {
    const container = find(request);
    const condition = (request.query.text('condition') || 'not-running') as WaitCondition;
    if (!conditions.includes(condition)) throw new InvalidParameter(`invalid condition: "${condition}"`);
    const result = container.wait(condition, request.signal);
    async function* answer() {
      const { exitCode, error } = await result;
      yield `${JSON.stringify({ StatusCode: exitCode, ...(error ? { Error: { Message: error } } : {}) })}\n`;
    }
    return { stream: Readable.from(answer(), { objectMode: false }), contentType: 'application/json' };
  }

  async function attach(request: ApiRequest): Promise<Reply> {
    const { query } = request;
    const container = find(request);
    container.check('attach');
    const detachKeys = parseDetachKeys(query.text('detachKeys') || defaultDetachKeys);
    const terminal = container.record.config.Tty;
    const connection = await request.hijack({ multiplexed: !terminal });
    const streams = { stdout: query.flag('stdout'), stderr: query.flag('stderr') };
    if (query.flag('logs') && container.log) {
      const past = logStream(
        container.log,
        { ...streams, follow: false, tail: null, since: null, until: null, timestamps: false, terminal },
        { signal: request.signal, ended: container.logEnded },
      );
      for await (const chunk of past) connection.write(chunk);
    }
    if (!query.flag('stream')) connection.end();
    else container.attach(connection, { ...streams, stdin: query.flag('stdin'), detachKeys });
    return { hijacked: true };
  }

  function logs(request: ApiRequest): Reply {
    const { query } = request;
    const container = find(request);
    const streams = { stdout: query.flag('stdout'), stderr: query.flag('stderr') };
    if (!streams.stdout && !streams.stderr)
      throw new InvalidParameter('Bad parameters: you must choose at least one stream');
    if (!container.log) throw new NotImplemented('configured logging driver does not support reading');
    const terminal = container.record.config.Tty;
    const stream = logStream(
      container.log,
      {
        ...streams,
        terminal,
        follow: query.flag('follow'),
        tail: parseTail(query.text('tail')),
        since: parseLogTime(query.text('since'), 'since'),
        until: parseLogTime(query.text('until'), 'until'),
        timestamps: query.flag('timestamps'),
      },
      { signal: request.signal, ended: container.logEnded },
    );
    const { apiMinor } = request;
    return { stream, contentType: terminal ? rawStream : streamContentType({ multiplexed: true, apiMinor }) };
  }

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
    const oneShot = query.flag('one-shot');
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
      // Two readings a second apart: a rate is their difference.
      do {
        await delay(1000, undefined, { signal });
        const now = take();
        yield shape(now, previous);
        previous = now;
      } while (streaming && previous !== null);
    }
    return { stream: Readable.from(readings(), { objectMode: false }), contentType: 'application/json' };
  }

  async function changes(request: ApiRequest): Promise<Reply> {
    const kinds = { modified: 0, added: 1, deleted: 2 };
    const found = await deps.snapshotter.changes(find(request).id);
    return { json: found.map(({ path, kind }) => ({ Path: path, Kind: kinds[kind] })) };
  }

  async function remove(container: Container, { query }: ApiRequest): Promise<void> {
    if (query.flag('link')) throw new NotImplemented('links are not supported by this engine');
    await container.remove({ force: query.flag('force'), volumes: query.flag('v') });
  }

  async function prune({ query }: ApiRequest): Promise<Reply> {
    const filters = query.filters();
    assertKnownFilters(filters, ['label', 'label!', 'until']);
    const until = parseLogTime(filters.get('until')?.[0], 'until');
    const idle = containers
      .list()
      .filter(
        ({ record: { state, config, createdAt } }) =>
          !isLive(state) &&
          state.status !== 'restarting' &&
          isPrunable(config.Labels, filters) &&
          (until === null || createdAt < until),
      );
    let bytes = 0;
    const removed: string[] = [];
    for (const container of idle) {
      const usage = await deps.snapshotter.usage(container.id);
      try {
        await container.remove({ force: false, volumes: false });
      } catch (error) {
        // Started meanwhile.
        if (error instanceof Conflict) continue;
        throw error;
      }
      bytes += usage;
      removed.push(container.id);
    }
    return { json: { ContainersDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: bytes } };
  }

  async function commit(request: ApiRequest): Promise<Reply> {
    const { query } = request;
    const container = containers.get(query.text('container') ?? '');
    const body = await request.json(containerConfig.partial());
    const { record } = container;
    const paused =
      record.state.status === 'running' && (query.text('pause') === undefined || query.flag('pause'));
    if (paused) await container.pause();
    try {
      const config = {
        ...record.config,
        ...Object.fromEntries(Object.entries(body).filter(([, value]) => isGiven(value))),
      };
      const repo = query.text('repo');
      const image = await committer.commitSnapshot({
        snapshotKey: container.id,
        parent: deps.images.resolve(record.imageId),
        config: applyChanges(
          {
            User: config.User,
            Env: config.Env,
            Entrypoint: config.Entrypoint,
            Cmd: config.Cmd,
            WorkingDir: config.WorkingDir,
            ExposedPorts: Object.fromEntries(config.ExposedPorts.map((name) => [name, {}])),
            Volumes: Object.fromEntries(config.Volumes.map((name) => [name, {}])),
            Labels: config.Labels,
            StopSignal: config.StopSignal,
            Shell: config.Shell,
          },
          query.all('changes'),
        ),
        author: query.text('author') ?? '',
        comment: query.text('comment') ?? '',
        createdBy: [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])].join(' '),
        ...(repo ? { reference: `${repo}:${query.text('tag') || 'latest'}` } : {}),
      });
      container.publish('commit', { imageID: image.id, imageRef: repo ?? '' });
      return { status: 201, json: { Id: image.id } };
    } finally {
      if (paused) await container.unpause();
    }
  }
}

function isGiven(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function parseTail(text: string | undefined): number | null {
  if (text === undefined || text === '' || text === 'all') return null;
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** Containers as `docker ps` lists them. */
export function containerSummaries(
  containers: readonly Container[],
  deps: Pick<Dependencies, 'networks' | 'images' | 'snapshotter'>,
  { size }: { readonly size: boolean },
): Promise<object[]> {
  const now = new Date();
  return Promise.all(
    containers.map(async (container) =>
      summaryShape(container, {
        sandbox: deps.networks.inspectSandbox(container.id),
        images: deps.images,
        size: size ? await sizeOf(container, deps) : null,
        now,
      }),
    ),
  );
}

async function sizeOf(
  { id, record }: Container,
  { snapshotter, images }: Pick<Dependencies, 'images' | 'snapshotter'>,
): Promise<{ rw: number; rootfs: number }> {
  const rw = await snapshotter.usage(id);
  return { rw, rootfs: rw + images.resolve(record.imageId).sizeBytes };
}
