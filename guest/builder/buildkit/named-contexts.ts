import { isDigest } from '../../digest.ts';
import { NotFound } from '../../errors.ts';
import type { ImageStore } from '../../images/image-store.ts';
import { parseReference } from '../../reference.ts';
import type { Registry } from '../../registry/index.ts';
import type { BuildResult, ContextSource, NamedContext, NamedImage } from '../build.ts';
import { remoteKind } from '../solver/copy-layer.ts';
import { FetchedContext } from '../sources/fetched-context.ts';
import type { Proxies } from '../sources/proxies.ts';
import { codes, GrpcError } from './grpc/status.ts';
import { ContentSource } from './session/content-source.ts';
import type { Session } from './session/sessions.ts';

export interface NamedContextParts {
  /** A directory of the client's. */
  directory(name: string): ContextSource;
  /** Makes one transfer of it for all builds that need it. */
  share(source: ContextSource): ContextSource;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly proxies: Proxies;
  /** For what the engine gets itself. */
  readonly builds: string;
  /** Results of other builds. */
  readonly inputs: ReadonlyMap<string, BuildResult>;
  readonly images: Pick<ImageStore, 'put'>;
  registry(): Promise<Pick<Registry, 'pullFrom'>>;
}

/** `--build-context`, in the words that buildx has for its places (buildkit, frontend/dockerui/namedcontext.go). */
export function namedContexts(
  named: ReadonlyMap<string, string>,
  parts: NamedContextParts,
): ReadonlyMap<string, NamedContext> {
  return new Map([...named].map(([name, place]) => [name, namedContext(name, place, parts)]));
}

function namedContext(name: string, place: string, parts: NamedContextParts): NamedContext {
  const [, kind, rest = ''] = /^(docker-image|oci-layout|local|input):(?:\/\/)?(.*)$/.exec(place) ?? [];
  const input = kind === 'input' ? parts.inputs.get(rest) : undefined;
  // What another build has made is found like any image, by its id.
  if (input) return { kind: 'image', reference: parts.images.put(input.configBytes).id };
  if (kind === 'docker-image') return { kind: 'image', reference: rest, context: name };
  if (kind === 'oci-layout') return layoutImage(name, rest, parts);
  if (kind === 'local') return { kind: 'context', source: parts.share(parts.directory(rest)) };
  const remote = remoteKind(place);
  if (remote) {
    const source = parts.share(new FetchedContext(place, remote, parts));
    return { kind: 'context', source, title: `[context ${name}] ${place}` };
  }
  throw new GrpcError(
    codes.unimplemented,
    `this engine does not support the build context ${name}=${place}; it takes a directory, docker-image://NAME, oci-layout://DIRECTORY, and git and http URLs`,
  );
}

/** @param place `STORE@sha256:…`, the store's name being the client's */
function layoutImage(name: string, place: string, parts: NamedContextParts): NamedImage {
  const [, store = '', digest = ''] = /^(.*?)(?::[^:@/]*)?@(.*)$/.exec(place) ?? [];
  if (!isDigest(digest))
    throw new GrpcError(codes.invalidArgument, `oci-layout reference "${place}" has no digest`);
  const reference = `${name.replace(/::.*$/, '')}@${digest}`;
  return {
    kind: 'image',
    reference,
    context: name,
    async find(platform, { onProgress }) {
      const { session, signal } = parts;
      const source = new ContentSource(session, store);
      const { image } = await (await parts.registry())
        .pullFrom(source, parseReference(reference), { platform, signal, onProgress })
        .catch((error: unknown) => {
          if (!(error instanceof GrpcError) || error.code !== codes.notFound) throw error;
          throw new NotFound(`the layout of the build context ${name} is not there: ${error.message}`);
        });
      return image;
    },
  };
}
