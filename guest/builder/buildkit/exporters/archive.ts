import { type Digest, digestOf } from '../../../digest.ts';
import { type ArchivePart, archiveTar, blobPath } from '../../../images/archive-tar.ts';
import { chainIdOf } from '../../../layers/chain.ts';
import { formatReference } from '../../../reference.ts';
import type { BuildResult } from '../../build.ts';
import { sendFile } from '../session/file-send.ts';
import { showVertex, type Vertex } from '../vertex.ts';
import { type Annotations, takeAnnotations } from './annotations.ts';
import {
  type Descriptor,
  describe,
  dockerDocument,
  indexDocument,
  json,
  type MediaTypes,
  manifestDocument,
  manifestListDocument,
} from './archive-documents.ts';
import type { ExporterType } from './exporter.ts';
import { takeNames } from './image-names.ts';
import {
  type CompressionWish,
  type LayerForm,
  type LayerFormDependencies,
  layerForm,
  takeCompression,
} from './layer-form.ts';

const created = 'org.opencontainers.image.created';

/**
 * `oci` and `docker`: what was built as an archive that goes to a file of the client's. Both are OCI layouts; the
 * second has `docker save`'s `manifest.json` besides, which has no place for several platforms. The same results give
 * the same bytes.
 */
export function archiveExporter(kind: 'oci' | 'docker', deps: LayerFormDependencies): ExporterType {
  return (attributes) => {
    const names = takeNames(attributes);
    const compression = takeCompression(attributes);
    const annotations = takeAnnotations(attributes);
    const types: MediaTypes = attributes.flag('oci-mediatypes', kind === 'oci') ? 'oci' : 'docker';
    if (!attributes.flag('tar', true)) attributes.refuse('tar', 'false');
    attributes.end();
    return {
      ...(kind === 'docker' && {
        refusesIndex:
          'docker exporter does not currently support exporting manifest lists; --output type=oci does',
      }),
      send: ({ results, isIndex }, { number, session, publish, signal }) =>
        showVertex(`exporting to ${kind} image format`, publish, async (vertex) => {
          annotations.check({ isIndex, platforms: results.map(({ platform }) => platform) });
          await using stack = new AsyncDisposableStack();
          const parts = new Map<string, ArchivePart>();
          const images: ArchivedImage[] = [];
          for (const result of results) {
            const layers = await layerForms(result, compression, { ...deps, signal, stack });
            images.push(archiveImage(result, layers, { parts, vertex, annotations, types, isIndex }));
          }
          vertex.status('exporting layers', 0, true);
          const top = isIndex
            ? archiveIndex(images, { parts, vertex, annotations, types })
            : images[0]!.descriptor;
          parts.set('index.json', part(indexDocument(top, names)));
          parts.set('oci-layout', part(json({ imageLayoutVersion: '1.0.0' })));
          if (kind === 'docker') {
            const { configDigest, layerPaths } = images[0]!;
            parts.set(
              'manifest.json',
              part(dockerDocument({ configPath: blobPath(configDigest), names, layerPaths })),
            );
          }
          vertex.status('sending tarball', 0);
          await sendFile(await session(), number, archiveTar(parts), signal);
          vertex.status('sending tarball', 0, true);
          return {
            ...(!isIndex && { 'containerimage.config.digest': images[0]!.configDigest }),
            'containerimage.digest': top.digest,
            'containerimage.descriptor': json(top).toString('base64'),
            ...(names.length > 0 && { 'image.name': names.map(formatReference).join(',') }),
          };
        }),
    };
  };
}

interface ArchivedImage {
  readonly descriptor: Descriptor;
  readonly configDigest: Digest;
  readonly createdAt: string;
  readonly layerPaths: readonly string[];
}

interface Archive {
  readonly parts: Map<string, ArchivePart>;
  readonly vertex: Vertex;
  readonly annotations: Annotations;
  readonly types: MediaTypes;
}

/** Puts an image into an archive. */
function archiveImage(
  { config, configBytes, platform }: BuildResult,
  layers: readonly LayerForm[],
  { parts, vertex, annotations, types, isIndex }: Archive & { readonly isIndex: boolean },
): ArchivedImage {
  const manifest = manifestDocument(types, { config: configBytes, layers, platform, annotations });
  const createdAt = config.created ?? new Date(0).toISOString();
  const own = annotations.of('manifest-descriptor', platform);
  const descriptor = describe(manifest, {
    annotations: isIndex ? own : { ...own, [created]: createdAt },
    platform,
  });
  const configDigest = digestOf(configBytes);
  vertex.status(`exporting manifest ${descriptor.digest}`, 0, true);
  vertex.status(`exporting config ${configDigest}`, 0, true);
  for (const layer of layers) parts.set(blobPath(layer.digest), layer);
  parts.set(blobPath(configDigest), part(configBytes));
  parts.set(blobPath(descriptor.digest), part(manifest.bytes));
  return { descriptor, configDigest, createdAt, layerPaths: layers.map(({ digest }) => blobPath(digest)) };
}

/** Puts the index of images into an archive. */
function archiveIndex(
  images: readonly ArchivedImage[],
  { parts, vertex, annotations, types }: Archive,
): Descriptor {
  const descriptors = images.map(({ descriptor }) => descriptor);
  const list = manifestListDocument(types, descriptors, annotations);
  const latest = images
    .map(({ createdAt }) => createdAt)
    .sort()
    .at(-1)!;
  const descriptor = describe(list, {
    annotations: { ...annotations.of('index-descriptor'), [created]: latest },
  });
  vertex.status(`exporting manifest list ${descriptor.digest}`, 0, true);
  parts.set(blobPath(descriptor.digest), part(list.bytes));
  return descriptor;
}

function part(content: Buffer): ArchivePart {
  return { size: content.length, open: () => [content] };
}

/** The result's layers, bottom first, as they go into the archive; what was made for it goes with the stack. */
async function layerForms(
  { config }: BuildResult,
  wish: CompressionWish,
  deps: LayerFormDependencies & { readonly signal: AbortSignal; readonly stack: AsyncDisposableStack },
): Promise<LayerForm[]> {
  const layers: LayerForm[] = [];
  let chainId: Digest | null = null;
  for (const diffId of config.rootfs.diff_ids) {
    chainId = chainIdOf(chainId, diffId);
    layers.push(deps.stack.use(await layerForm({ diffId, chainId }, wish, deps)));
  }
  return layers;
}
