import { formatPlatform } from '../../images/platform.ts';
import type { BuildResult } from '../build.ts';
import { type Built, builtOne } from './built.ts';
import { frontEndCapabilities, graphCapabilities } from './capabilities.ts';
import { sentence } from './failure.ts';
import type { CallContext, Methods } from './grpc/server.ts';
import { unary } from './grpc/server.ts';
import { codes, GrpcError } from './grpc/status.ts';
import { placeOfGraph, resultGraph } from './result-graph.ts';
import type { RunningBuild, RunningBuilds } from './running-build.ts';
import type { Definition, Worker } from './wire/control.ts';
import * as wire from './wire/gateway.ts';
import type { Content } from './wire/message.ts';

const service = '/moby.buildkit.v1.frontend.LLBBridge';

export const graphsRefused =
  'this engine builds Dockerfiles (frontend dockerfile.v0); it does not run LLB of other front ends';

/** Front ends that ours stands for: named so, or by a `# syntax=` line. */
const dockerfileImage = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/;

/**
 * Builds what a front end's options describe.
 *
 * @param inputs results of other builds, by the names that contexts have for them
 */
export type RunFrontEnd = (
  build: RunningBuild,
  asked: { readonly options: ReadonlyMap<string, string>; readonly inputs: ReadonlyMap<string, BuildResult> },
  signal: AbortSignal,
) => Promise<Built>;

/**
 * LLBBridge: what buildx, which plays the front end's part, asks of a build. The build is named in the metadata.
 */
export function bridgeMethods(deps: {
  readonly builds: RunningBuilds;
  readonly worker: () => Content<typeof Worker>;
  readonly runFrontEnd: RunFrontEnd;
}): Methods {
  const buildOf = ({ metadata, signal }: CallContext) =>
    deps.builds.get(String(metadata['buildkit-controlapi-buildid'] ?? ''), signal);

  async function solve(
    request: Content<typeof wire.SolveRequest>,
    context: CallContext,
  ): Promise<Content<typeof wire.SolveResponse>> {
    const build = await buildOf(context);
    const signal = AbortSignal.any([build.signal, context.signal]);
    try {
      const { frontend, frontendOpt, definition, frontendInputs } = request;
      if ((definition?.def.length ?? 0) > 0) throw new GrpcError(codes.unimplemented, graphsRefused);
      if (frontend === '')
        return wire.SolveResponse.of({ result: wire.Result.of({ ref: { id: '', def: undefined } }) });
      checkFrontEnd(frontend, frontendOpt);
      build.asked = { frontend, frontendAttrs: frontendOpt };
      const inputs = await inputsOf(frontendInputs, signal);
      return answer(build, await deps.runFrontEnd(build, { options: frontendOpt, inputs }, signal));
    } catch (error) {
      build.failure = sentence(error);
      throw build.failure;
    }
  }

  /** Throws GrpcError for graphs that are not results of this engine's own. */
  async function inputsOf(
    graphs: ReadonlyMap<string, Content<typeof Definition> | undefined>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, BuildResult>> {
    const inputs = new Map<string, BuildResult>();
    for (const [name, graph] of graphs) {
      if (!graph) throw new GrpcError(codes.invalidArgument, 'invalid nil input definition to definition op');
      const place = placeOfGraph(graph);
      if (!place) throw new GrpcError(codes.unimplemented, graphsRefused);
      inputs.set(name, (await deps.builds.get(place.ref, signal)).result(place.id));
    }
    return inputs;
  }

  async function finish(
    { result, error }: Content<typeof wire.ReturnRequest>,
    context: CallContext,
  ): Promise<Content<typeof wire.ReturnResponse>> {
    const build = await buildOf(context);
    // Its own failure comes back without what this engine knows of it.
    if (error) build.return(build.failure ?? new GrpcError(error.code, error.message, error.details));
    else {
      const ids = [...(result?.refs?.refs.values() ?? [])].map(({ id }) => id);
      if (ids.length > 0) build.return({ results: build.results(ids), isIndex: true });
      else build.return(result?.ref?.id ? builtOne(build.result(result.ref.id)) : null);
    }
    return {};
  }

  return new Map([
    [
      `${service}/Ping`,
      unary(wire.PingRequest, wire.PongResponse, () => ({
        frontendCaps: frontEndCapabilities.map((id) => ({ id, enabled: true })),
        llbCaps: graphCapabilities.map((id) => ({ id, enabled: true })),
        workers: [deps.worker()],
      })),
    ],
    [`${service}/Solve`, unary(wire.SolveRequest, wire.SolveResponse, solve)],
    [`${service}/Return`, unary(wire.ReturnRequest, wire.ReturnResponse, finish)],
    // Results here are never lazy.
    [`${service}/Evaluate`, unary(wire.EvaluateRequest, wire.EvaluateResponse, () => ({}))],
    [`${service}/Inputs`, unary(wire.InputsRequest, wire.InputsResponse, () => wire.InputsResponse.of({}))],
  ]);
}

/**
 * Results by their ids; those of several platforms by the platforms, which are listed besides (buildkit,
 * exporter/containerimage/exptypes).
 */
function answer(
  build: RunningBuild,
  { results, isIndex, metadata: answers }: Built,
): Content<typeof wire.SolveResponse> {
  if (answers) return wire.SolveResponse.of({ result: wire.Result.of({ metadata: new Map(answers) }) });
  const refs = results.map((result) => {
    const id = build.keep(result);
    return { id, def: resultGraph({ ref: build.ref, id }) };
  });
  const keys = results.map(({ platform }) => formatPlatform(platform));
  const suffixed = (i: number) => (isIndex ? `/${keys[i]}` : '');
  const platforms = results.map(({ platform }, i) => ({ ID: keys[i], Platform: platform }));
  const metadata = new Map([
    ...results.map(({ configBytes }, i) => [`containerimage.config${suffixed(i)}`, configBytes] as const),
    ['refs.platforms', Buffer.from(JSON.stringify({ Platforms: platforms }))] as const,
  ]);
  const byPlatform = new Map(refs.map((ref, i) => [keys[i]!, ref]));
  return wire.SolveResponse.of(
    isIndex
      ? { result: wire.Result.of({ refs: { refs: byPlatform }, metadata }) }
      : { ref: refs[0]!.id, result: wire.Result.of({ ref: refs[0]!, metadata }) },
  );
}

/** Throws GrpcError for a front end that is not Dockerfile's. */
export function checkFrontEnd(frontend: string, options: ReadonlyMap<string, string>): void {
  if (frontend === 'dockerfile.v0') return;
  const source = options.get('source') ?? '';
  if (frontend === 'gateway.v0' && dockerfileImage.test(source)) return;
  throw new GrpcError(
    codes.unimplemented,
    `frontend ${[frontend, source].filter(Boolean).join(' ')}: ${graphsRefused}`,
  );
}
