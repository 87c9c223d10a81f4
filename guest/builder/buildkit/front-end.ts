import type {
  Builder,
  BuildRequest,
  BuildResult,
  ContextSource,
  DockerfileSource,
  NamedContext,
} from '../build.ts';
import { buildFailure } from './failure.ts';
import { type Places, readOptions } from './front-end-options.ts';
import { codes, GrpcError } from './grpc/status.ts';
import type { RunningBuild } from './running-build.ts';
import { ClientDirectory } from './session/client-directory.ts';
import { readCredentials } from './session/credentials.ts';
import type { LocalTrees } from './session/local-trees.ts';
import { readSecret } from './session/secrets.ts';
import type { Session, Sessions } from './session/sessions.ts';
import { openAgentSocket } from './session/ssh-agent.ts';
import { showVertex } from './vertex.ts';

export interface FrontEndDependencies {
  readonly builder: Builder;
  readonly sessions: Sessions;
  readonly trees: LocalTrees;
  /** For sockets of ssh agents. */
  readonly agents: string;
}

/** `dockerfile.v0`: builds with our own Dockerfile engine what the client's options describe. Throws GrpcError. */
export async function runFrontEnd(
  deps: FrontEndDependencies,
  build: RunningBuild,
  given: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<BuildResult> {
  let dockerfile: DockerfileSource | null = null;
  try {
    const session = await deps.sessions.get(build.sessionId, signal);
    const { options, places } = readOptions(given);
    const directory = (name: string) => new ClientDirectory({ session, trees: deps.trees, name, signal });
    const context = contextOf(places, directory);
    dockerfile = await readDockerfile(directory(places.dockerfileDirectory), places.filename, build);
    const request: BuildRequest = {
      ...options,
      dockerfile,
      context,
      namedContexts: namedContexts(places.named, directory),
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

function askClient(deps: FrontEndDependencies, session: Session, signal: AbortSignal) {
  return {
    secret: (id: string) => readSecret(session, id, signal),
    ssh: (id: string) => openAgentSocket(session, id, { directory: deps.agents, signal }),
    registryAuth: (host: string) => readCredentials(session, host, signal),
  };
}

function contextOf({ remote, contextDirectory }: Places, directory: (name: string) => ContextSource) {
  if (remote !== undefined)
    throw new GrpcError(codes.unimplemented, `this engine does not support the build context ${remote} yet`);
  return directory(contextDirectory);
}

async function readDockerfile(
  directory: ClientDirectory,
  filename: string,
  build: RunningBuild,
): Promise<DockerfileSource> {
  const ignoreName = `${filename}.dockerignore`;
  const publish = build.progress.publish.bind(build.progress);
  return showVertex(`[internal] load build definition from ${filename}`, publish, async (vertex) => {
    let bytes = 0;
    const files = await directory.readSome([filename, ignoreName], (now) => {
      bytes = now;
      vertex.status('transferring dockerfile:', bytes);
    });
    vertex.status('transferring dockerfile:', bytes, true);
    const text = files.get(filename)?.toString();
    if (text === undefined)
      throw new GrpcError(
        codes.unknown,
        `failed to read dockerfile: open ${filename}: no such file or directory`,
      );
    return { name: filename, text, ignore: files.get(ignoreName)?.toString() ?? null };
  });
}

/** `--build-context`, in the words that buildx has for its places. */
function namedContexts(
  named: ReadonlyMap<string, string>,
  directory: (name: string) => ContextSource,
): ReadonlyMap<string, NamedContext> {
  return new Map(
    [...named].map(([name, place]): [string, NamedContext] => {
      const [, kind, rest = ''] = /^(docker-image:\/\/|local:)(.*)$/.exec(place) ?? [];
      if (kind === 'local:') return [name, { kind: 'context', source: directory(rest) }];
      if (kind) return [name, { kind: 'image', reference: rest }];
      throw new GrpcError(
        codes.unimplemented,
        `this engine does not support the build context ${name}=${place}; a directory or docker-image://NAME is what it takes`,
      );
    }),
  );
}
