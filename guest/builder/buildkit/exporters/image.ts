import type { EventSink } from '../../../events/event.ts';
import { imageEvent } from '../../../images/image-event.ts';
import type { ImageStore } from '../../../images/image-store.ts';
import { familiarReference, formatReference, parseReference, withDefaultTag } from '../../../reference.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import { showVertex } from '../vertex.ts';
import type { Exporter } from './exporter.ts';

/** `moby`, buildx's default with this engine: the image is recorded, under the names that were asked for. */
export function imageExporter(images: ImageStore, events: EventSink): Exporter {
  return async (result, { attrs, publish }) => {
    const names = (attrs.get('name') ?? '')
      .split(',')
      .filter(Boolean)
      .map(parseReference)
      .map(withDefaultTag);
    if (names.some(({ digest }) => digest))
      throw new GrpcError(codes.invalidArgument, 'an image cannot be named by a digest');
    return showVertex('exporting to image', publish, async (vertex) => {
      vertex.status('exporting layers', 0, true);
      const image = images.put(result.configBytes, names);
      vertex.status(`writing image ${image.id}`, 0, true);
      for (const name of names) {
        vertex.status(`naming to ${formatReference(name)}`, 0, true);
        events.publish(imageEvent('tag', image, familiarReference(name)));
      }
      return {
        'containerimage.config.digest': image.id,
        'containerimage.digest': image.id,
        ...(names.length > 0 && { 'image.name': names.map(formatReference).join(',') }),
      };
    });
  };
}
