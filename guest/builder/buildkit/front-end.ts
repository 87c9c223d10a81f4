import type { ImageStore } from '../../images/image-store.ts';
import type {
  Builder,
  BuildRequest,
  BuildResult,
  ContextSource,
  DockerfileSource,
  NamedContext,
} from '../build.ts';
import type { LocalTrees } from '../cache/local-trees.ts';
import type { RunFrontEnd } from './bridge.ts';
import { buildFailure } from './failure.ts';
import { readOptions } from './front-end-options.ts';
import { codes, GrpcError } from './grpc/status.ts';
import { openRemoteContext } from './remote-context.ts';
import type { RunningBuild } from './running-build.ts';
import { ClientDirectory } from './session/client-directory.ts';
import { readCredentials } from './session/credentials.ts';
import { readSecret } from './session/secrets.ts';
import type { Session, Sessions } from './session/sessions.ts';
import { openAgentSocket } from './session/ssh-agent.ts';
import { showVertex, type Vertex } from './vertex.ts';

export interface FrontEndDependencies {
  readonly builder: Builder;
  readonly sessions: Sessions;
  readonly trees: LocalTrees;
  readonly images: Pick<ImageStore, 'put'>;
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
): Promise<BuildResult> {
  let dockerfile: DockerfileSource | null = null;
  try {
    const session = await deps.sessions.get(build.sessionId, signal);
    const { options, places } = readOptions(asked.options);
    const directory = (name: string) => new ClientDirectory({ session, trees: deps.trees, name, signal });
    const publish = build.progress.publish.bind(build.progress);
    using remote = await openRemoteContext(places, { session, publish, signal, builds: deps.builds });
    const context = remote?.context ?? directory(places.contextDirectory);
    const own = remote === null || places.ownDockerfile;
    dockerfile =
      (own ? null : remote.dockerfile) ??
      (await showVertex(`[internal] load build definition from ${places.filename}`, publish, (vertex) =>
        readDockerfile(own ? directory(places.dockerfileDirectory) : remote.context, places.filename, vertex),
      ));
    const request: BuildRequest = {
      ...options,
      dockerfile,
      context,
      namedContexts: namedContexts(places.named, { directory, inputs: asked.inputs, images: deps.images }),
      entitlements: build.entitlements,
    };
    return await deps.builder.build(request, {
      signal,
      onProgress: (event) => build.progress.publish(event, dockerfile ?? undefined),
      ...askClient(deps, session, signal),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw buildFailure(error, dockerfile);
  }
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
  const files =
    from instanceof ClientDirectory
      ? await from.readSome([name, ignoreName], count)
      : new Map([
          [name, await from.read(name)],
          [ignoreName, await from.read(ignoreName)],
        ]);
  if (bytes > 0) vertex.status('transferring dockerfile:', bytes, true);
  const text = files.get(name)?.toString();
  if (text === undefined)
    throw new GrpcError(codes.unknown, `failed to read dockerfile: open ${name}: no such file or directory`);
  return { name, text, ignore: files.get(ignoreName)?.toString() ?? null };
}

/** `--build-context`, in the words that buildx has for its places. */
function namedContexts(
  named: ReadonlyMap<string, string>,
  from: {
    directory(name: string): ContextSource;
    readonly inputs: ReadonlyMap<string, BuildResult>;
    readonly images: Pick<ImageStore, 'put'>;
  },
): ReadonlyMap<string, NamedContext> {
  return new Map(
    [...named].map(([name, place]): [string, NamedContext] => {
      const [, kind, rest = ''] = /^(docker-image:\/\/|local:|input:)(.*)$/.exec(place) ?? [];
      if (kind === 'local:') return [name, { kind: 'context', source: from.directory(rest) }];
      const input = kind === 'input:' ? from.inputs.get(rest) : undefined;
      // What another build has made is found like any image, by its id.
      if (input) return [name, { kind: 'image', reference: from.images.put(input.configBytes).id }];
      if (kind === 'docker-image://') return [name, { kind: 'image', reference: rest }];
      throw new GrpcError(
        codes.unimplemented,
        `this engine does not support the build context ${name}=${place}; a directory or docker-image://NAME is what it takes`,
      );
    }),
  );
}
