import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Digest } from '../digest.ts';
import type { Images } from '../images/index.ts';
import type { LayerBlob } from '../images/originals.ts';
import { mediaTypes } from './documents.ts';
import { layerName, layerStatus, type OnProgress, progressBar } from './progress.ts';
import type { RetryOptions } from './retry.ts';
import type { RepositoryWriter, UploadSource } from './upload.ts';

/** One layer of an image that is to be in a repository. */
export interface PushedLayer {
  readonly diffId: Digest;
  readonly chainId: Digest;
  /** The form that it should have there. */
  readonly preferred: LayerBlob | undefined;
}

export interface PushContext {
  readonly images: Pick<Images, 'layers' | 'originals'>;
  readonly writer: RepositoryWriter;
  readonly domain: string;
  readonly path: string;
  readonly onProgress: OnProgress;
  readonly retry: RetryOptions;
}

/** Fast, and within a few per cent of what is smallest; the same on every computer with the same engine. */
const gzipLevel = 3;

/**
 * Sees to it that a repository has a layer, with as little sent as can be: the registry is asked for every
 * known form of it, then whether it can take it from another repository; a kept blob goes as it is, and only
 * what was never compressed is. Returns the form that is there now.
 */
export async function pushLayer(layer: PushedLayer, context: PushContext): Promise<LayerBlob> {
  const { images, writer, domain, onProgress, retry } = context;
  const { diffId, preferred } = layer;
  const known = [
    ...(preferred ? [preferred] : []),
    ...images.originals.blobsOf(diffId).filter(({ digest }) => digest !== preferred?.digest),
  ];
  for (const blob of known) {
    if (!(await writer.has(blob.digest, retry.signal))) continue;
    onProgress(layerStatus(diffId, 'Layer already exists'));
    return blob;
  }
  for (const blob of known) {
    for (const from of images.originals.placesOf(blob.digest, domain)) {
      if (from === context.path || !(await writer.mount(blob.digest, from, retry.signal))) continue;
      onProgress(layerStatus(diffId, `Mounted from ${from}`));
      return blob;
    }
  }
  const here = known.find(({ kept, digest }) => kept || digest === diffId);
  return here ? sendKnown(here, layer, context) : sendCompressed(layer, context);
}

async function sendKnown(
  blob: LayerBlob,
  { chainId }: PushedLayer,
  context: PushContext,
): Promise<LayerBlob> {
  const { layers, originals } = context.images;
  const { digest, size, kept } = blob;
  const open = (start: number) =>
    kept ? originals.content.stream(digest, start) : after(layers.readTar(chainId), start);
  await send(blob, { digest, size, open }, context);
  return blob;
}

async function sendCompressed({ diffId, chainId }: PushedLayer, context: PushContext): Promise<LayerBlob> {
  const { layers, originals } = context.images;
  await using file = originals.content.scratch();
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    layers.readTar(chainId),
    createGzip({ level: gzipLevel, chunkSize: 256 * 1024 }),
    async function* count(source: AsyncIterable<Buffer>) {
      for await (const bytes of source) {
        hash.update(bytes);
        size += bytes.length;
        yield bytes;
      }
    },
    createWriteStream(file.path, { mode: 0o600, flags: 'wx' }),
    { signal: context.retry.signal },
  );
  const digest: Digest = `sha256:${hash.digest('hex')}`;
  const blob: LayerBlob = { digest, diffId, mediaType: mediaTypes.dockerLayer, size, kept: false };
  if (await context.writer.has(digest, context.retry.signal)) {
    context.onProgress(layerStatus(diffId, 'Layer already exists'));
    return blob;
  }
  const open = (start: number) => createReadStream(file.path, { start, highWaterMark: 256 * 1024 });
  await send(blob, { digest, size, open }, context);
  return blob;
}

async function send(
  { diffId }: LayerBlob,
  source: UploadSource,
  { writer, onProgress, retry }: PushContext,
): Promise<void> {
  const onBytes = progressBar(onProgress, { digest: diffId, status: 'Pushing', total: source.size });
  const onRetry = (delayMs: number) =>
    onProgress({ status: `Retrying in ${Math.ceil(delayMs / 1000)} seconds`, id: layerName(diffId) });
  await writer.upload(source, { ...retry, onRetry, onBytes });
  onProgress(layerStatus(diffId, 'Pushed'));
}

/** A stream that cannot begin in its middle, from there. */
async function* after(source: Readable, start: number): AsyncGenerator<Buffer> {
  let skip = start;
  for await (const bytes of source as AsyncIterable<Buffer>) {
    const rest = bytes.subarray(Math.min(skip, bytes.length));
    skip -= bytes.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
