import type { BuildCache, BuildRequest } from '../build.ts';
import { checkFrontEnd, graphsRefused, type RunFrontEnd } from './bridge.ts';
import type { Built } from './built.ts';
import { Attributes } from './exporters/attributes.ts';
import type { ExporterType } from './exporters/exporter.ts';
import { sentence } from './failure.ts';
import { type CallContext, type Methods, streaming, unary } from './grpc/server.ts';
import { codes, GrpcError } from './grpc/status.ts';
import type { BuildHistory } from './history/build-history.ts';
import { completedRecord, startedRecord } from './history/record.ts';
import { RunningBuild, type RunningBuilds } from './running-build.ts';
import type { Sessions } from './session/sessions.ts';
import { pruneOptions, usageRecord, usageRecords } from './usage.ts';
import * as wire from './wire/control.ts';
import * as history from './wire/history.ts';
import type { Content } from './wire/message.ts';
import { buildKitVersion } from './worker.ts';

const service = '/moby.buildkit.v1.Control';

type SolveRequest = Content<typeof wire.SolveRequest>;

export interface ControlDependencies {
  readonly builds: RunningBuilds;
  readonly sessions: Sessions;
  readonly cache: BuildCache;
  readonly history: BuildHistory;
  readonly exporters: ReadonlyMap<string, ExporterType>;
  readonly worker: () => Content<typeof wire.Worker>;
  readonly runFrontEnd: RunFrontEnd;
}

/** The Control service: builds, their progress, and what the cache holds. */
export function controlMethods(deps: ControlDependencies): Methods {
  async function solve(request: SolveRequest, context: CallContext) {
    try {
      return await start(request, context);
    } catch (error) {
      const why = sentence(error);
      if (!deps.builds.has(request.ref)) deps.builds.refuse(request.ref, why);
      throw why;
    }
  }

  async function start(request: SolveRequest, { signal }: CallContext) {
    refuseWhatIsNotDone(request);
    const exports = exportsOf(request);
    const exporters = exports.map(({ type, attrs }, number) => {
      const exporter = deps.exporters.get(type);
      if (!exporter)
        throw new GrpcError(
          codes.unimplemented,
          `this engine does not support the output type ${type}; ${[...deps.exporters.keys()].join(', ')} are what it writes`,
        );
      return { ...exporter(new Attributes(type, attrs)), number };
    });
    const entitlements = entitlementsOf(request.entitlements);
    const refusesIndex = exporters.flatMap((exporter) => exporter.refusesIndex ?? [])[0];
    const build = new RunningBuild(
      { ref: request.ref, sessionId: request.session, entitlements, refusesIndex },
      signal,
    );
    deps.builds.add(build);
    const record = startedRecord({ ...request, exporters: exports });
    if (!request.internal) deps.history.begin(record);
    const exporterResponse = new Map<string, string>();
    let failure: GrpcError | undefined;
    try {
      const built = await resultOf(build, request);
      for (const { send, number } of built && !built.metadata ? exporters : []) {
        const answer = await send(built!, {
          ...{ number, signal },
          session: () => deps.sessions.get(build.sessionId, signal),
          publish: (event) => build.progress.publish(event),
        });
        for (const [key, value] of Object.entries(answer)) exporterResponse.set(key, value);
      }
      return { exporterResponse };
    } catch (error) {
      failure = sentence(error);
      throw failure;
    } finally {
      build.end();
      // As buildx asks for a build: first without a front end, which it plays itself.
      const asked = record.frontend === '' && build.asked ? { ...record, ...build.asked } : record;
      const { all } = build.progress;
      if (!request.internal)
        await deps.history
          .complete(
            completedRecord(asked, all, { error: failure && toStatus(failure), exporterResponse }),
            all,
          )
          .catch(() => {});
      void deps.builds.retire(build);
    }
  }

  async function resultOf(build: RunningBuild, request: SolveRequest): Promise<Built | null> {
    if (request.frontend === '') return Promise.race([build.returned, aborted(build.signal)]);
    checkFrontEnd(request.frontend, request.frontendAttrs);
    const built = await deps.runFrontEnd(
      build,
      { options: request.frontendAttrs, inputs: new Map() },
      build.signal,
    );
    for (const result of built.results) build.keep(result);
    return built;
  }

  async function* status({ ref }: Content<typeof wire.StatusRequest>, { signal }: CallContext) {
    const past = deps.builds.has(ref) ? null : await deps.history.progress(ref);
    if (past) {
      yield past;
      return;
    }
    const build = await deps.builds.get(ref, signal).catch((error: unknown) => {
      // The call for the build says why; a client tells of whichever fails first.
      if (deps.builds.isRefused(ref)) return null;
      throw error;
    });
    if (build) yield* build.progress.follow(signal);
  }

  async function update(request: Content<typeof history.UpdateBuildHistoryRequest>) {
    if (request.delete) await deps.history.remove(request.ref);
    // A record is whole when its build has ended.
    else if (!request.finalize) await deps.history.pin(request.ref, request.pinned);
    return {};
  }

  async function* prune(request: Content<typeof wire.PruneRequest>) {
    for (const record of await deps.cache.prune(pruneOptions(request, new Date()))) yield usageRecord(record);
  }

  return new Map([
    [`${service}/Solve`, unary(wire.SolveRequest, wire.SolveResponse, solve)],
    [`${service}/Status`, streaming(wire.StatusRequest, wire.StatusResponse, status)],
    [
      `${service}/ListWorkers`,
      unary(wire.ListWorkersRequest, wire.ListWorkersResponse, () => ({ workers: [deps.worker()] })),
    ],
    [`${service}/Info`, unary(wire.InfoRequest, wire.InfoResponse, () => ({ version: buildKitVersion }))],
    [
      `${service}/DiskUsage`,
      unary(wire.DiskUsageRequest, wire.DiskUsageResponse, async ({ filter }) => ({
        records: await usageRecords(deps.cache, filter),
      })),
    ],
    [`${service}/Prune`, streaming(wire.PruneRequest, wire.UsageRecord, prune)],
    [
      `${service}/ListenBuildHistory`,
      streaming(history.BuildHistoryRequest, history.BuildHistoryEvent, (request, { signal }) =>
        deps.history.listen(request, signal),
      ),
    ],
    [
      `${service}/UpdateBuildHistory`,
      unary(history.UpdateBuildHistoryRequest, history.UpdateBuildHistoryResponse, update),
    ],
  ]);
}

function exportsOf({ exporters, exporter, exporterAttrs }: SolveRequest) {
  if (exporters.length > 0) return exporters;
  return exporter === '' ? [] : [{ type: exporter, attrs: exporterAttrs }];
}

/** Throws GrpcError. */
function refuseWhatIsNotDone(request: SolveRequest): void {
  const { definition, frontend, frontendInputs, cache } = request;
  const unsupported = [
    request.sourcePolicy.length > 0 && 'source policies (EXPERIMENTAL_BUILDKIT_SOURCE_POLICY)',
    request.sourcePolicySession !== '' && 'policies (--policy, a Dockerfile.rego, BUILDX_DEFAULT_POLICY)',
    request.proxyNetwork && 'the network proxy of policies',
    request.enableSessionExporter && 'exporters that the client serves',
  ].find((what) => what !== false);
  if (unsupported)
    throw new GrpcError(codes.unimplemented, `this engine does not support ${unsupported}; leave it out`);
  if ((definition?.def.length ?? 0) > 0 || frontendInputs.size > 0)
    throw new GrpcError(codes.unimplemented, graphsRefused);
  if (frontend !== '' && frontend !== 'dockerfile.v0' && frontend !== 'gateway.v0')
    throw new GrpcError(codes.unimplemented, `frontend ${frontend}: ${graphsRefused}`);
  // Images have the keys of their steps in them (solver/image-draft.ts), with or without this.
  for (const { type } of cache?.exports ?? [])
    if (type !== 'inline')
      throw new GrpcError(
        codes.unimplemented,
        `this engine does not support --cache-to type=${type}; its own cache is kept, and type=inline goes with the image`,
      );
}

function toStatus({ code, message, details }: GrpcError) {
  return { code, message, details: [...details] };
}

function entitlementsOf(words: readonly string[]): BuildRequest['entitlements'] {
  return new Set(
    words.map((word) => {
      if (word === 'network.host' || word === 'security.insecure') return word;
      throw new GrpcError(codes.invalidArgument, `unknown entitlement ${word}`);
    }),
  );
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
