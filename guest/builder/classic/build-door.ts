import { join, posix } from 'node:path';
import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { ApiRequest, Reply } from '../../api/handler.ts';
import type { EventSink } from '../../events/event.ts';
import { newId } from '../../ids.ts';
import type { ImageConfig } from '../../images/image.ts';
import { imageEvent } from '../../images/image-event.ts';
import type { ImageBetween, ImageStore } from '../../images/image-store.ts';
import { familiarReference, withDefaultTag } from '../../reference.ts';
import type { Builder, BuildRequest, BuildSupply } from '../build.ts';
import { BuildError } from '../build-error.ts';
import type { BuildKit } from '../buildkit/index.ts';
import { type Dockerfile, parseDockerfile } from '../dockerfile/stages.ts';
import { dockerfileNames } from '../dockerfile-names.ts';
import { unusedArgs } from '../solver/unused-args.ts';
import { proxiesOf } from '../sources/proxies.ts';
import { type BuildDisplay, jsonLine } from './build-display.ts';
import { type ClassicQuery, parseBuildQuery } from './build-query.ts';
import { checkClassic } from './classic-checks.ts';
import { ClassicStream } from './classic-stream.ts';
import { parseRegistryConfig } from './registry-config.ts';
import { openRemote } from './remote-context.ts';
import { type DirectoryContext, unpackContext } from './tar-context.ts';

export interface DoorParts {
  readonly builder: Builder;
  readonly images: ImageStore;
  readonly events: EventSink;
  /** Where contexts are unpacked. */
  readonly builds: string;
  /** For what clients of BuildKit are asked for. */
  readonly buildKit: () => Promise<Pick<BuildKit, 'clientOf'>>;
}

/**
 * `POST /build`: the classic builder's door. What is wrong before anything was said is a status; afterwards it is the
 * last line of the stream.
 */
export async function classicBuild(api: ApiRequest, parts: DoorParts): Promise<Reply> {
  const query = parseBuildQuery(api.query, api.apiMinor);
  const credentials = parseRegistryConfig(api.headers['x-registry-config']);
  const directory = join(parts.builds, newId());
  const opened =
    query.remote === ''
      ? { context: await unpackContext(api.body, directory), dockerfile: null }
      : await openRemote(query.remote, directory, { signal: api.signal, proxies: proxiesOf(query.request) });
  const { context } = opened;
  try {
    const source = opened.dockerfile ?? (await readDockerfile(context, query.dockerfile));
    // Parsed here to refuse with a status what cannot be built.
    const parsed = parseDockerfile(source.text);
    if (!query.buildKit) checkClassic(parsed);
    const noCache =
      query.request.noCache || (!query.buildKit && !hasCache(query.request.cacheFrom, parts.images));
    const dockerfile = { ...source, parsed };
    const request = { ...query.request, noCache, dockerfile, context };
    const supply = await supplyOf(query, credentials, { api, parts });
    const output = new PassThrough();
    const first = firstOutput(output);
    const finished = build(request, { api, parts, query, output, supply }).finally(() =>
      context[Symbol.dispose](),
    );
    const failed = await Promise.race([first, finished.then(() => null)]);
    if (failed) throw failed.error;
    return { stream: output, contentType: 'application/json' };
  } catch (error) {
    context[Symbol.dispose]();
    throw error;
  }
}

/** The classic builder takes `--cache-from` for all the cache there is, so that images which are not here mean none. */
function hasCache(cacheFrom: readonly string[], images: ImageStore): boolean {
  return cacheFrom.length === 0 || cacheFrom.some((name) => images.has(name));
}

interface Door {
  readonly api: ApiRequest;
  readonly parts: DoorParts;
  readonly query: ClassicQuery;
  readonly output: PassThrough & { failure?: unknown };
  readonly supply: ClientSupply;
}

/** What the client can be asked for. */
type ClientSupply = Pick<BuildSupply, 'secret' | 'ssh' | 'registryAuth'>;

/** Throws GrpcError when the session that was named does not come. */
async function supplyOf(
  { session }: ClassicQuery,
  registryAuth: ClientSupply['registryAuth'],
  { api, parts }: Pick<Door, 'api' | 'parts'>,
): Promise<ClientSupply> {
  const nothing = () => Promise.resolve(null);
  if (session === '') return { secret: nothing, ssh: nothing, registryAuth };
  const client = await (await parts.buildKit()).clientOf(session, api.signal);
  // What came with the request goes first: it is there.
  return {
    ...client,
    registryAuth: async (host) => (await registryAuth(host)) ?? client.registryAuth(host),
  };
}

async function displayOf(
  { query: { buildKit }, api }: Door,
  dockerfile: BuildRequest['dockerfile'],
  write: (line: string) => void,
): Promise<BuildDisplay> {
  if (!buildKit) return new ClassicStream(write, { saysId: api.apiMinor >= 30 });
  const { BuildKitStream } = await import('./build-kit-stream.ts');
  return new BuildKitStream(write, dockerfile);
}

/** Resolves at the first line; with the error when there was none before it. */
function firstOutput(output: PassThrough): Promise<{ readonly error: unknown } | null> {
  return new Promise((resolve) => {
    output.once('readable', () => resolve(null));
    output.once('refused', (error: unknown) => resolve({ error }));
  });
}

type ParsedRequest = BuildRequest & { readonly dockerfile: { readonly parsed: Dockerfile } };

/** Never rejects. */
async function build(request: ParsedRequest, door: Door): Promise<void> {
  const { api, parts, query, output } = door;
  let said = false;
  const write = (line: string) => {
    said = true;
    output.write(line);
  };
  const display = await displayOf(door, request.dockerfile, write);
  try {
    using result = await parts.builder.build(request, {
      signal: api.signal,
      onProgress: query.quiet ? () => {} : display.onProgress,
      ...(!query.buildKit && {
        keepImage: (image: ImageBetween) => parts.images.putBetween(image),
      }),
      ...door.supply,
    });
    display.flush();
    if (!isImage(result.config)) throw new BuildError('No image was generated. Is your Dockerfile empty?');
    const image = parts.images.put(result.configBytes, query.tags);
    const names = query.tags.map((tag) => familiarReference(withDefaultTag(tag)));
    for (const name of names) parts.events.publish(imageEvent('tag', image, name));
    if (query.quiet) write(jsonLine({ stream: `${image.id}\n` }));
    else {
      const unused = unusedArgs(request.dockerfile.parsed, request.buildArgs);
      display.built({ image, names, unusedArgs: unused });
    }
    output.end();
    // The client has its answer before what the build needed goes.
    await setImmediate();
  } catch (error) {
    if (!said && !api.signal.aborted) {
      output.emit('refused', error);
      return;
    }
    display.flush();
    display.failed(error);
    output.end();
  }
}

/** `FROM scratch` alone makes none, where BuildKit makes an empty one. */
function isImage({ rootfs, history }: ImageConfig): boolean {
  return rootfs.diff_ids.length > 0 || (history ?? []).length > 0;
}

async function readDockerfile(context: DirectoryContext, name: string): Promise<BuildRequest['dockerfile']> {
  if (posix.normalize(name).startsWith('../'))
    throw new BuildError(`forbidden path outside the build context: ${name} ()`);
  const found = await Promise.all(dockerfileNames(name).map((file) => context.read(file)));
  const text = found.find((content) => content !== null) ?? null;
  if (text === null) throw new BuildError(`Cannot locate specified Dockerfile: ${name}`);
  if (text.length === 0) throw new BuildError(`the Dockerfile (${name}) cannot be empty`);
  return {
    name,
    text: text.toString(),
    ignore: (await context.read(`${name}.dockerignore`))?.toString() ?? null,
  };
}
