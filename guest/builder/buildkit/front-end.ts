import type { ImageStore } from '../../images/image-store.ts';
import { hostPlatform, type Platform } from '../../images/platform.ts';
import type { Registry } from '../../registry/index.ts';
import type {
  BuildEvent,
  Builder,
  BuildRequest,
  BuildResult,
  ContextSource,
  DockerfileSource,
} from '../build.ts';
import type { LocalTrees } from '../cache/local-trees.ts';
import { dockerfileNames } from '../dockerfile-names.ts';
import { proxiesOf } from '../sources/proxies.ts';
import type { RunFrontEnd } from './bridge.ts';
import type { Built } from './built.ts';
import { answerCall } from './calls.ts';
import { checkAnswer } from './check-answer.ts';
import { buildFailure } from './failure.ts';
import { readOptions } from './front-end-options.ts';
import { codes, GrpcError } from './grpc/status.ts';
import { namedContexts } from './named-contexts.ts';
import { oneDisplay } from './one-display.ts';
import { openRemoteContext } from './remote-context.ts';
import type { RunningBuild } from './running-build.ts';
import { ClientDirectory } from './session/client-directory.ts';
import { readCredentials } from './session/credentials.ts';
import { readSecret } from './session/secrets.ts';
import type { Session, Sessions } from './session/sessions.ts';
import { openAgentSocket } from './session/ssh-agent.ts';
import { SharedContext } from './shared-context.ts';
import { checkSyntaxLine } from './syntax-line.ts';
import { showVertex, type Vertex } from './vertex.ts';

export interface FrontEndDependencies {
  readonly builder: Builder;
  readonly sessions: Sessions;
  readonly trees: LocalTrees;
  readonly images: Pick<ImageStore, 'put'>;
  registry(): Promise<Pick<Registry, 'pullFrom'>>;
  /** For contexts that are not the client's directories. */
  readonly builds: string;
  /** For sockets of ssh agents. */
  readonly agents: string;
}

/** `dockerfile.v0`: builds with our own Dockerfile engine what the client's options describe. Throws GrpcError. */
export async function runFrontEnd(
  deps: FrontEndDependencies,
  build: RunningBuild,
  asked: Parameters<RunFrontEnd>[1],
  signal: AbortSignal,
): Promise<Built> {
  let dockerfile: DockerfileSource | null = null;
  try {
    const session = await deps.sessions.get(build.sessionId, signal);
    const { options, places, targets, call } = readOptions(asked.options);
    const { isIndex } = targets;
    if (isIndex && build.refusesIndex && !call) throw new GrpcError(codes.unimplemented, build.refusesIndex);
    const directory = (name: string) => new ClientDirectory({ session, trees: deps.trees, name, signal });
    const proxies = proxiesOf(options);
    const publish = build.progress.publish.bind(build.progress);
    await using shared = new AsyncDisposableStack();
    const share = (source: ContextSource) => (isIndex ? shared.use(new SharedContext(source)) : source);
    using remote = await openRemoteContext(places, {
      ...{ session, publish, signal, proxies, builds: deps.builds },
    });
    const context = remote?.context ?? directory(places.contextDirectory);
    const own = remote === null || places.ownDockerfile;
    dockerfile =
      (own ? null : remote.dockerfile) ??
      (await showVertex(`[internal] load build definition from ${places.filename}`, publish, (vertex) =>
        readDockerfile(own ? directory(places.dockerfileDirectory) : remote.context, places.filename, vertex),
      ));
    checkSyntaxLine(dockerfile);
    const request: BuildRequest = {
      ...options,
      dockerfile,
      context: share(context),
      namedContexts: namedContexts(places.named, {
        ...{ share, directory, session, signal, proxies, inputs: asked.inputs },
        ...{ images: deps.images, registry: deps.registry, builds: deps.builds },
      }),
      entitlements: build.entitlements,
      saysPlatform: isIndex,
    };
    const targeted = { ...request, platform: targets.platforms[0] };
    if (call === 'frontend.lint') {
      const show = (event: BuildEvent) => build.progress.publish(event, dockerfile ?? undefined);
      const supply = { signal, onProgress: show, ...askClient(deps, session, signal) };
      return checkAnswer(await deps.builder.check(targeted, supply), dockerfile);
    }
    if (call) return answerCall(call, targeted);
    const show = (event: BuildEvent) => build.progress.publish(event, dockerfile ?? undefined);
    const onProgress = isIndex ? oneDisplay(show) : show;
    const platforms = targets.platforms.length > 0 ? targets.platforms : [hostPlatform];
    const results = await sideBySide(platforms, signal, (platform, signal) =>
      deps.builder.build(
        { ...request, platform },
        // What is found in the Dockerfile is said once.
        {
          signal,
          onProgress: platform === platforms[0] ? onProgress : unwarned(onProgress),
          ...askClient(deps, session, signal),
        },
      ),
    );
    return { results, isIndex };
  } catch (error) {
    signal.throwIfAborted();
    throw buildFailure(error, dockerfile);
  }
}

/** Builds for every platform at once. The first failure ends the others; then nothing is left of any. */
async function sideBySide(
  platforms: readonly Platform[],
  signal: AbortSignal,
  build: (platform: Platform, signal: AbortSignal) => Promise<BuildResult>,
): Promise<BuildResult[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const building = platforms.map((platform) => build(platform, either));
  try {
    return await Promise.all(building);
  } catch (error) {
    failed.abort(error);
    for (const one of await Promise.allSettled(building))
      if (one.status === 'fulfilled') one.value[Symbol.dispose]();
    throw error;
  }
}

function unwarned(publish: (event: BuildEvent) => void): (event: BuildEvent) => void {
  return (event) => {
    if (event.kind !== 'warning') publish(event);
  };
}

/** What steps ask the client for. */
export function askClient(deps: Pick<FrontEndDependencies, 'agents'>, session: Session, signal: AbortSignal) {
  return {
    secret: (id: string) => readSecret(session, id, signal),
    ssh: (id: string) => openAgentSocket(session, id, { directory: deps.agents, signal }),
    registryAuth: (host: string) => readCredentials(session, host, signal),
  };
}

async function readDockerfile(
  from: ClientDirectory | ContextSource,
  name: string,
  vertex: Vertex,
): Promise<DockerfileSource> {
  const ignoreName = `${name}.dockerignore`;
  let bytes = 0;
  const count = (now: number) => {
    bytes = now;
    vertex.status('transferring dockerfile:', bytes);
  };
  const names = [...dockerfileNames(name), ignoreName];
  const files =
    from instanceof ClientDirectory
      ? await from.readSome(names, count)
      : new Map(await Promise.all(names.map(async (file) => [file, await from.read(file)] as const)));
  if (bytes > 0) vertex.status('transferring dockerfile:', bytes, true);
  const text = dockerfileNames(name)
    .map((file) => files.get(file))
    .find((found) => found != null)
    ?.toString();
  if (text === undefined)
    throw new GrpcError(codes.unknown, `failed to read dockerfile: open ${name}: no such file or directory`);
  return { name, text, ignore: files.get(ignoreName)?.toString() ?? null };
}
