import type { BlobCopier } from '../content/content-store.ts';
import type { Lease, Leases } from '../content/leases.ts';
import { verified } from '../content/verified.ts';
import type { Digest } from '../digest.ts';
import { decompressed } from '../layers/compression.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import type { StagedTar } from '../layers/stage-tar.ts';
import { downloadBlob } from './blob-download.ts';
import { InvalidDocument, type RemoteDescriptor } from './documents.ts';
import { layerName, layerStatus, type OnProgress, type ProgressLine, progressBar } from './progress.ts';
import type { ImageSource } from './repository.ts';
import { Semaphore } from './semaphore.ts';

/** As many as dockerd's default. */
const maxDownloads = 3;

/** One layer that is on its way, and who wants it. */
interface Download {
  readonly staged: Promise<StagedTar>;
  readonly listeners: Set<OnProgress>;
  readonly cancel: AbortController;
  readonly lease: Lease;
  users: number;
  /** What was told of it last. */
  readonly told: { last: ProgressLine };
}

/** A wish for a layer. To be disposed of when the image is recorded or given up. */
export interface WantedLayer extends AsyncDisposable {
  readonly staged: Promise<StagedTar>;
}

export interface DownloadDependencies {
  readonly layers: Pick<OverlayLayerStore, 'stage' | 'discard'>;
  readonly content: BlobCopier;
  readonly leases: Pick<Leases, 'open'>;
  readonly retryDelayMs: number;
}

export interface LayerWish {
  readonly repository: ImageSource;
  readonly descriptor: RemoteDescriptor;
  /** What the image's configuration says of it. */
  readonly diffId: Digest;
  readonly onProgress: OnProgress;
}

/**
 * Downloads of layers, each unpacked as it comes. Who wants a layer that is on its way already waits for the
 * same one; it is given up when nobody wants it any more.
 */
export class LayerDownloads {
  /** Staged and not yet taken into a chain. */
  readonly unused = new Set<StagedTar>();
  readonly #underway = new Map<Digest, Download>();
  readonly #places = new Semaphore(maxDownloads);
  readonly #deps: DownloadDependencies;

  constructor(deps: DownloadDependencies) {
    this.#deps = deps;
  }

  want(wish: LayerWish): WantedLayer {
    const { digest } = wish.descriptor;
    const { onProgress } = wish;
    const known = this.#underway.get(digest);
    const download = known ?? this.#begin(wish);
    if (known) onProgress(known.told.last);
    download.users++;
    download.listeners.add(onProgress);
    return {
      staged: download.staged,
      [Symbol.asyncDispose]: async () => {
        download.listeners.delete(onProgress);
        download.users--;
        if (download.users === 0) await this.#end(digest, download);
      },
    };
  }

  #begin(wish: LayerWish): Download {
    const { digest } = wish.descriptor;
    const listeners = new Set([wish.onProgress]);
    const told = { last: layerStatus(digest, 'Pulling fs layer') };
    const cancel = new AbortController();
    const lease = this.#deps.leases.open();
    const tell = (line: ProgressLine) => {
      told.last = line;
      for (const listener of listeners) listener(line);
    };
    const staged = this.#places.run(
      async () => {
        cancel.signal.throwIfAborted();
        return this.#stage(wish, { tell, lease, signal: cancel.signal });
      },
      () => tell(layerStatus(digest, 'Waiting')),
    );
    // Whoever wants it hears of it.
    staged.catch(() => {});
    const download: Download = { staged, listeners, cancel, lease, users: 0, told };
    this.#underway.set(digest, download);
    return download;
  }

  async #end(digest: Digest, { staged, cancel, lease }: Download): Promise<void> {
    this.#underway.delete(digest);
    cancel.abort(new Error('nobody wants the layer any more'));
    const made = await staged.catch(() => null);
    if (made && this.unused.delete(made)) await this.#deps.layers.discard(made);
    lease[Symbol.dispose]();
  }

  async #stage(
    { repository, descriptor, diffId }: LayerWish,
    work: { readonly tell: OnProgress; readonly lease: Lease; readonly signal: AbortSignal },
  ): Promise<StagedTar> {
    const { layers, content, retryDelayMs } = this.#deps;
    const { digest, size } = descriptor;
    const { tell, signal } = work;
    let isVerified = false;
    async function* whole(): AsyncGenerator<Buffer> {
      const bar = progressBar(tell, { digest, status: 'Downloading', total: size });
      let current = 0;
      const onRetry = (delayMs: number) =>
        tell(layerStatus(digest, `Retrying in ${Math.ceil(delayMs / 1000)} seconds`));
      const source = downloadBlob(repository, descriptor, { signal, firstDelayMs: retryDelayMs, onRetry });
      for await (const bytes of verified(source, { digest, maxBytes: size })) {
        current += bytes.length;
        bar(current);
        yield bytes;
      }
      isVerified = true;
      tell(layerStatus(digest, 'Verifying Checksum'));
      tell(layerStatus(digest, 'Download complete'));
    }
    // A tar that is not compressed can be made anew from the layer.
    const isPlain = digest === diffId;
    const staged = await layers.stage(
      decompressed(isPlain ? whole() : content.copying(digest, whole(), work.lease)),
    );
    // A decompressor that stops before the end leaves bytes that nobody has looked at.
    const isRight = isVerified && staged.diffId === diffId;
    if (!isRight || signal.aborted) {
      await layers.discard(staged);
      signal.throwIfAborted();
      throw new InvalidDocument(
        isVerified
          ? `layers from manifest don't match image configuration: layer ${digest} unpacks to ${staged.diffId}, not ${diffId}`
          : `layer ${digest} has more bytes than its compression`,
      );
    }
    this.unused.add(staged);
    tell({ status: 'Extracting', progressDetail: { current: size, total: size }, id: layerName(digest) });
    return staged;
  }
}
