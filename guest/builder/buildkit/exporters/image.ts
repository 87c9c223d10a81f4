import { digestOf } from '../../../digest.ts';
import type { EventSink } from '../../../events/event.ts';
import type { Image } from '../../../images/image.ts';
import { imageEvent } from '../../../images/image-event.ts';
import type { ImageStore } from '../../../images/image-store.ts';
import { hostPlatform, matchesPlatform } from '../../../images/platform.ts';
import { familiarReference, formatReference } from '../../../reference.ts';
import type { Registry, TransferOptions } from '../../../registry/index.ts';
import type { BuildResult } from '../../build.ts';
import type { Built } from '../built.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import { readCredentials } from '../session/credentials.ts';
import { showVertex } from '../vertex.ts';
import type { ExportContext, ExporterType } from './exporter.ts';
import { type TaggedName, takeNames } from './image-names.ts';

export interface ImageExporterDependencies {
  readonly images: ImageStore;
  readonly events: EventSink;
  registry(): Promise<Pick<Registry, 'push' | 'pushIndex'>>;
}

/** The engine keeps one image under a name: the others would be nowhere. */
const refusesIndex =
  'exporting multiple references to image store is currently unsupported: --push sends images of several platforms to a registry, --output type=oci,dest=FILE writes them, and --platform with one of them builds it for this engine';

/**
 * `moby`, which buildx makes of `image` and `docker` for this engine: the image is recorded, under the names that
 * were asked for, and pushed by them (`--push`). An engine that can write archives is taken for one that pushes. Of
 * images for several platforms the names lead to the one that runs here, or the first; without names all are recorded.
 */
export function imageExporter(deps: ImageExporterDependencies): ExporterType {
  return (attributes) => {
    const names = takeNames(attributes);
    const pushes = attributes.flag('push', false);
    // What it always does, and a word of buildx for itself.
    for (const name of ['load', 'store', 'prefer-image-digest'])
      if (!attributes.flag(name, true)) attributes.refuse(name, 'false');
    attributes.end();
    if (pushes && names.length === 0)
      throw new GrpcError(codes.invalidArgument, 'tag is needed when pushing to registry');
    return {
      ...(!pushes && names.length > 0 && { refusesIndex }),
      async send(built, context) {
        const { results, isIndex } = built;
        const own = results.find(({ platform }) => matchesPlatform(platform, hostPlatform)) ?? results[0]!;
        const kept = names.length > 0 ? [own] : results;
        const image = await record(own, { kept, names }, context, deps);
        let digest: string = image.id;
        for (const name of pushes ? names : [])
          digest = await push(name, isIndex ? built : image, context, deps);
        return {
          'containerimage.config.digest': image.id,
          'containerimage.digest': digest,
          ...(names.length > 0 && { 'image.name': names.map(formatReference).join(',') }),
        };
      },
    };
  };
}

/** Records results; the names lead to one of them. */
function record(
  own: BuildResult,
  { kept, names }: { readonly kept: readonly BuildResult[]; readonly names: readonly TaggedName[] },
  { publish }: ExportContext,
  { images, events }: ImageExporterDependencies,
): Promise<Image> {
  return showVertex('exporting to image', publish, async (vertex) => {
    vertex.status('exporting layers', 0, true);
    for (const { configBytes } of kept) vertex.status(`writing image ${images.put(configBytes).id}`, 0, true);
    const image = images.put(own.configBytes, names);
    for (const name of names) {
      vertex.status(`naming to ${formatReference(name)}`, 0, true);
      events.publish(imageEvent('tag', image, familiarReference(name)));
    }
    return image;
  });
}

/** Returns the digest of what the name leads to in the registry now. */
function push(
  name: TaggedName,
  what: Image | Built,
  { session, publish, signal }: ExportContext,
  { registry }: ImageExporterDependencies,
): Promise<string> {
  return showVertex(`pushing ${formatReference(name)}`, publish, async (vertex) => {
    const credentials = await readCredentials(await session(), name.domain, signal);
    const options: TransferOptions = {
      signal,
      ...(credentials && { credentials }),
      onProgress({ id, status = '', progressDetail: { current = 0, total = 0 } = {} }) {
        const isDone = /^(?:Pushed|Mounted|Layer already exists)/.test(status);
        if (id && (total > 0 || isDone)) vertex.status(`pushing layer ${id}`, current, isDone, total);
      },
    };
    const client = await registry();
    const { digest } =
      'results' in what
        ? await client.pushIndex(name, { ...options, images: what.results.map(outgoing) })
        : await client.push(name, { ...options, image: what, alone: true });
    const kind = 'results' in what ? 'manifest list' : 'manifest';
    vertex.status(`pushing ${kind} ${digest}`, 0, true);
    return digest;
  });
}

/** A result as a registry gets it: the engine may not have recorded it. */
function outgoing({ config, configBytes, chainId, platform }: Built['results'][number]) {
  return { platform, image: { id: digestOf(configBytes), config, configBytes, chainId } };
}
