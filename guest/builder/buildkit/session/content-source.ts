import { Readable } from 'node:stream';
import { type Digest, digestOf } from '../../../digest.ts';
import { InvalidDocument, mediaTypes } from '../../../registry/documents.ts';
import type { BlobBody, FetchedManifest, ImageSource } from '../../../registry/repository.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import { ReadContentRequest, ReadContentResponse } from '../wire/session.ts';
import type { Session } from './sessions.ts';

const read = '/containerd.services.content.v1.Content/Read';

const maxManifestBytes = 4 * 1024 * 1024;

/** An OCI layout of the client's (`--build-context NAME=oci-layout://…`): documents and blobs by their digests. */
export class ContentSource implements ImageSource {
  readonly #session: Session;
  readonly #store: string;

  /** Throws GrpcError when the client has no such thing. */
  constructor(session: Session, store: string) {
    if (!session.supports(read)) throw new GrpcError(codes.unavailable, 'the client has no OCI layouts');
    this.#session = session;
    this.#store = store;
  }

  async manifest(wanted: string, signal: AbortSignal): Promise<FetchedManifest> {
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of this.#read(wanted, 0, signal)) {
      size += piece.length;
      if (size > maxManifestBytes) throw new InvalidDocument('the manifest is too large');
      pieces.push(piece);
    }
    const bytes = Buffer.concat(pieces);
    const digest = digestOf(bytes);
    if (digest !== wanted) throw new InvalidDocument(`the layout has other bytes for ${wanted}`);
    return { digest, mediaType: typeOf(bytes), bytes };
  }

  async blob(
    digest: Digest,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ readonly body: BlobBody; readonly begins: number }> {
    return { body: Readable.from(this.#read(digest, offset, signal)), begins: offset };
  }

  async *#read(digest: string, offset: number, signal: AbortSignal): AsyncGenerator<Buffer> {
    const call = this.#session.client.stream(read, ReadContentRequest, ReadContentResponse, {
      metadata: { 'buildkit-attachable-store-id': `oci:${this.#store}` },
      signal,
    });
    await call.send(ReadContentRequest.of({ digest, offset }));
    call.finish();
    for await (const { data } of call.messages) yield Buffer.from(data.buffer, data.byteOffset, data.length);
  }
}

/** A document need not say what it is; then its members do. */
function typeOf(bytes: Buffer): string {
  try {
    const { mediaType, manifests } = JSON.parse(bytes.toString()) as {
      mediaType?: unknown;
      manifests?: unknown;
    };
    if (typeof mediaType === 'string') return mediaType;
    return Array.isArray(manifests) ? mediaTypes.ociIndex : mediaTypes.ociManifest;
  } catch (cause) {
    throw new InvalidDocument('a document of the layout is no JSON', { cause });
  }
}
