import { digestOf } from '../../../digest.ts';
import { type ArchivePart, archiveTar, blobPath } from '../../../images/archive-tar.ts';
import { chainIdOf } from '../../../layers/chain.ts';
import { formatReference } from '../../../reference.ts';
import type { BuildResult } from '../../build.ts';
import { sendFile } from '../session/file-send.ts';
import { showVertex } from '../vertex.ts';
import {
  dockerDocument,
  indexDocument,
  json,
  manifestDescriptor,
  manifestDocument,
  takeAnnotations,
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

/**
 * `oci` and `docker`: the result as an archive that goes to a file of the client's. Both are OCI layouts; the second
 * has `docker save`'s `manifest.json` besides. The same result gives the same bytes.
 */
export function archiveExporter(kind: 'oci' | 'docker', deps: LayerFormDependencies): ExporterType {
  return (attributes) => {
    const names = takeNames(attributes);
    const compression = takeCompression(attributes);
    const annotations = takeAnnotations(attributes);
    const types = attributes.flag('oci-mediatypes', kind === 'oci') ? 'oci' : 'docker';
    if (!attributes.flag('tar', true)) attributes.refuse('tar', 'false');
    attributes.end();
    return async (result, { number, session, publish, signal }) =>
      showVertex(`exporting to ${kind} image format`, publish, async (vertex) => {
        const { configBytes, config, platform } = result;
        await using forms = await layerForms(result, compression, { ...deps, signal });
        vertex.status('exporting layers', 0, true);
        const { layers } = forms;
        const manifest = manifestDocument(types, { config: configBytes, layers, annotations });
        const created = config.created ?? new Date(0).toISOString();
        const descriptor = manifestDescriptor(manifest, { created, annotations, platform });
        const configDigest = digestOf(configBytes);
        vertex.status(`exporting manifest ${descriptor.digest}`, 0, true);
        vertex.status(`exporting config ${configDigest}`, 0, true);
        const bytes = (content: Buffer): ArchivePart => ({ size: content.length, open: () => [content] });
        const parts = new Map<string, ArchivePart>([
          ...layers.map((layer) => [blobPath(layer.digest), layer] as const),
          [blobPath(configDigest), bytes(configBytes)],
          [blobPath(descriptor.digest), bytes(manifest.bytes)],
          ['index.json', bytes(indexDocument(descriptor, names))],
          ['oci-layout', bytes(json({ imageLayoutVersion: '1.0.0' }))],
        ]);
        if (kind === 'docker') {
          const layerPaths = layers.map(({ digest }) => blobPath(digest));
          const document = dockerDocument({ configPath: blobPath(configDigest), names, layerPaths });
          parts.set('manifest.json', bytes(document));
        }
        vertex.status('sending tarball', 0);
        await sendFile(await session(), number, archiveTar(parts), signal);
        vertex.status('sending tarball', 0, true);
        return {
          'containerimage.config.digest': configDigest,
          'containerimage.digest': descriptor.digest,
          'containerimage.descriptor': json(descriptor).toString('base64'),
          ...(names.length > 0 && { 'image.name': names.map(formatReference).join(',') }),
        };
      });
  };
}

/** The result's layers, bottom first, as they go into the archive. */
async function layerForms(
  { config }: BuildResult,
  wish: CompressionWish,
  deps: LayerFormDependencies & { readonly signal: AbortSignal },
): Promise<AsyncDisposable & { readonly layers: readonly LayerForm[] }> {
  await using stack = new AsyncDisposableStack();
  const layers: LayerForm[] = [];
  let chainId: ReturnType<typeof chainIdOf> | null = null;
  for (const diffId of config.rootfs.diff_ids) {
    chainId = chainIdOf(chainId, diffId);
    layers.push(stack.use(await layerForm({ diffId, chainId }, wish, deps)));
  }
  const kept = stack.move();
  return { layers, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
