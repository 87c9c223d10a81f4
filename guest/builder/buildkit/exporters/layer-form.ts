import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { ContentStore } from '../../../content/content-store.ts';
import type { Digest } from '../../../digest.ts';
import type { LayerBlob, Originals } from '../../../images/originals.ts';
import type { OverlayLayerStore } from '../../../layers/overlay-layer-store.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import type { Attributes } from './attributes.ts';

export const compressions = ['uncompressed', 'gzip', 'zstd'] as const;
export type LayerCompression = (typeof compressions)[number];

/** How the layers of an archive are to be (`compression`, `compression-level`, `force-compression`). */
export interface CompressionWish {
  readonly kind: LayerCompression;
  /** Null = our choice. */
  readonly level: number | null;
  /** Also those that came from a registry, which otherwise go out bit for bit as they came. */
  readonly force: boolean;
}

/** A layer's bytes as they stand in an archive. What was compressed for it is gone when it is disposed of. */
export interface LayerForm extends AsyncDisposable {
  readonly compression: LayerCompression;
  readonly digest: Digest;
  readonly size: number;
  open(): AsyncIterable<Buffer>;
}

export interface LayerFormDependencies {
  readonly layers: Pick<OverlayLayerStore, 'readTar' | 'tarSize'>;
  readonly originals: Pick<Originals, 'blobsOf'> & {
    readonly content: Pick<ContentStore, 'stream' | 'scratch'>;
  };
}

/** Fast, and within a few per cent of what is smallest (guest/registry/push-layer.ts). */
const gzipLevel = 3;
const levels = { gzip: { least: 0, most: 9 }, zstd: { least: 0, most: 22 } } as const;
const pieceBytes = 256 * 1024;

/** Throws GrpcError. */
export function takeCompression(attributes: Attributes): CompressionWish {
  const word = attributes.take('compression') ?? 'gzip';
  const kind = compressions.find((one) => one === word);
  if (!kind)
    throw new GrpcError(
      codes.unknown,
      `this engine does not support compression=${word}; ${compressions.join(', ')} are what it writes`,
    );
  const level = attributes.take('compression-level');
  const force = attributes.flag('force-compression', false);
  if (level === undefined) return { kind, level: null, force };
  if (kind === 'uncompressed') attributes.refuse('compression-level', level);
  const { least, most } = levels[kind];
  if (!/^\d+$/.test(level) || Number(level) < least || Number(level) > most)
    throw new GrpcError(
      codes.invalidArgument,
      `invalid compression-level=${level}; ${kind} has ${least} to ${most}`,
    );
  return { kind, level: Number(level), force };
}

/** The caller holds the layer. */
export async function layerForm(
  { diffId, chainId }: { readonly diffId: Digest; readonly chainId: Digest },
  wish: CompressionWish,
  deps: LayerFormDependencies & { readonly signal: AbortSignal },
): Promise<LayerForm> {
  const { layers, originals } = deps;
  const nothing = async () => {};
  const original = wish.force
    ? undefined
    : originals.blobsOf(diffId).find((blob) => blob.kept && compressionOfBlob(blob) !== null);
  if (original) {
    const { digest, size } = original;
    return {
      ...{ compression: compressionOfBlob(original)!, digest, size, [Symbol.asyncDispose]: nothing },
      open: () => streamed(originals.content, digest),
    };
  }
  if (wish.kind === 'uncompressed') {
    return {
      ...{ compression: wish.kind, digest: diffId, size: layers.tarSize(chainId) },
      ...{ open: () => layers.readTar(chainId), [Symbol.asyncDispose]: nothing },
    };
  }
  return compressed(chainId, { ...wish, kind: wish.kind }, deps);
}

async function compressed(
  chainId: Digest,
  { kind, level }: { readonly kind: 'gzip' | 'zstd'; readonly level: number | null },
  { layers, originals, signal }: LayerFormDependencies & { readonly signal: AbortSignal },
): Promise<LayerForm> {
  const file = originals.content.scratch();
  try {
    const hash = createHash('sha256');
    let size = 0;
    const compressor =
      kind === 'gzip'
        ? createGzip({ level: level ?? gzipLevel, chunkSize: pieceBytes })
        : createZstdCompress({
            chunkSize: pieceBytes,
            ...(level !== null && { params: { [constants.ZSTD_c_compressionLevel]: level } }),
          });
    const counted = new PassThrough({
      transform(bytes: Buffer, _, done) {
        hash.update(bytes);
        size += bytes.length;
        done(null, bytes);
      },
    });
    const target = createWriteStream(file.path, { mode: 0o600, flags: 'wx' });
    await pipeline(layers.readTar(chainId), compressor, counted, target, { signal });
    return {
      ...{ compression: kind, digest: `sha256:${hash.digest('hex')}`, size },
      open: () => createReadStream(file.path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>,
      [Symbol.asyncDispose]: async () => file[Symbol.asyncDispose](),
    };
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function* streamed(content: Pick<ContentStore, 'stream'>, digest: Digest): AsyncGenerator<Buffer> {
  yield* (await content.stream(digest)) as AsyncIterable<Buffer>;
}

function compressionOfBlob({ mediaType }: LayerBlob): LayerCompression | null {
  if (/[.+]zstd$/.test(mediaType)) return 'zstd';
  return /[.+]gzip$/.test(mediaType) ? 'gzip' : null;
}
