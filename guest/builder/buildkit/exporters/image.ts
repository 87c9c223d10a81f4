import type { EventSink } from '../../../events/event.ts';
import type { Image } from '../../../images/image.ts';
import { imageEvent } from '../../../images/image-event.ts';
import type { ImageStore } from '../../../images/image-store.ts';
import { familiarReference, formatReference } from '../../../reference.ts';
import type { Registry } from '../../../registry/index.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import { readCredentials } from '../session/credentials.ts';
import { showVertex } from '../vertex.ts';
import type { ExportContext, ExporterType } from './exporter.ts';
import { type TaggedName, takeNames } from './image-names.ts';

export interface ImageExporterDependencies {
  readonly images: ImageStore;
  readonly events: EventSink;
  registry(): Promise<Pick<Registry, 'push'>>;
}

/**
 * `moby`, which buildx makes of `image` and `docker` for this engine: the image is recorded, under the names that
 * were asked for, and pushed by them (`--push`). An engine that can write archives is taken for one that pushes.
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
    return async (result, context) => {
      const image = await record(result.configBytes, names, context, deps);
      let digest: string = image.id;
      for (const name of pushes ? names : []) digest = await push(name, image, context, deps);
      return {
        'containerimage.config.digest': image.id,
        'containerimage.digest': digest,
        ...(names.length > 0 && { 'image.name': names.map(formatReference).join(',') }),
      };
    };
  };
}

function record(
  configBytes: Buffer,
  names: readonly TaggedName[],
  { publish }: ExportContext,
  { images, events }: ImageExporterDependencies,
): Promise<Image> {
  return showVertex('exporting to image', publish, async (vertex) => {
    vertex.status('exporting layers', 0, true);
    const image = images.put(configBytes, names);
    vertex.status(`writing image ${image.id}`, 0, true);
    for (const name of names) {
      vertex.status(`naming to ${formatReference(name)}`, 0, true);
      events.publish(imageEvent('tag', image, familiarReference(name)));
    }
    return image;
  });
}

/** Returns the digest of the manifest that is in the registry now. */
function push(
  name: TaggedName,
  image: Image,
  { session, publish, signal }: ExportContext,
  { registry }: ImageExporterDependencies,
): Promise<string> {
  return showVertex(`pushing ${formatReference(name)}`, publish, async (vertex) => {
    const credentials = await readCredentials(await session(), name.domain, signal);
    const { digest } = await (await registry()).push(name, {
      ...{ image, signal },
      ...(credentials && { credentials }),
      onProgress({ id, status = '', progressDetail: { current = 0, total = 0 } = {} }) {
        const isDone = /^(?:Pushed|Mounted|Layer already exists)/.test(status);
        if (id && (total > 0 || isDone)) vertex.status(`pushing layer ${id}`, current, isDone, total);
      },
    });
    vertex.status(`pushing manifest ${digest}`, 0, true);
    return digest;
  });
}
