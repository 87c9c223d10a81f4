import { lookup } from 'node:dns/promises';
import type { Image, ImageConfig } from '../images/image.ts';
import { parseImageConfig } from '../images/image-config.ts';
import type { Images } from '../images/index.ts';
import type { Platform } from '../images/platform.ts';
import { domainOfServer, type Reference } from '../reference.ts';
import type { Credentials } from './credentials.ts';
import { type DistributionInspection, inspectDistribution } from './distribution.ts';
import { type Endpoint, endpointsOf } from './endpoints.ts';
import { pullError, searchError } from './errors.ts';
import { fetchConfig } from './fetch-config.ts';
import { isInsecure } from './insecure.ts';
import { LayerDownloads } from './layer-downloads.ts';
import type { OnProgress } from './progress.ts';
import { type PulledImage, Puller, type PullOptions, type ResolvedImage, resolveImage } from './pull.ts';
import { type PushedImage, pushImage } from './push.ts';
import { forgetIndexes, type PlatformImage, pushIndex, pushIndexAgain } from './push-index.ts';
import { type ImageSource, Repository } from './repository.ts';
import { type FoundRepository, searchRegistry, splitTerm } from './search.ts';
import { RegistrySession, withEndpoints } from './session.ts';
import { Transport } from './transport.ts';

/** What the engine is told about registries. */
export interface RegistrySettings {
  readonly insecureRegistries: readonly string[];
  /** URLs of mirrors of the official registry. */
  readonly registryMirrors: readonly string[];
  /** Proxies: HTTP_PROXY, HTTPS_PROXY, NO_PROXY. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** dockerd's place for certificates of registries. */
  readonly certificateDirectory?: string;
  /** Before the second attempt of what failed. */
  readonly retryDelayMs?: number;
}

export interface TransferOptions {
  readonly credentials?: Credentials;
  readonly onProgress: OnProgress;
  /** Given up, a transfer leaves nothing half-made. */
  readonly signal: AbortSignal;
}

/**
 * The engine's client of registries (OCI distribution spec). Errors carry dockerd's words: NotFound when
 * there is no such image or one may not see it, Unauthorized from logins, Refused, Unreachable,
 * InvalidDocument.
 */
export class Registry {
  readonly #images: Images;
  readonly #settings: RegistrySettings;
  readonly #puller: Puller;
  readonly #retryDelayMs: number;

  constructor(images: Images, settings: RegistrySettings) {
    this.#images = images;
    this.#settings = settings;
    this.#retryDelayMs = settings.retryDelayMs ?? 1000;
    const { layers, leases, originals } = images;
    const { content } = originals;
    const retryDelayMs = this.#retryDelayMs;
    this.#puller = new Puller(
      images,
      new LayerDownloads({ layers, leases, content, retryDelayMs }),
      retryDelayMs,
    );
  }

  /** Makes an image of a registry a local one. A name without tag and digest means `latest`. */
  async pull(
    reference: Reference,
    options: TransferOptions & Pick<PullOptions, 'platform' | 'leavesName' | 'takesAny'>,
  ): Promise<PulledImage> {
    return this.#reading(reference, options, (repository) =>
      this.#puller.pull(repository, reference, options),
    );
  }

  /** The same from elsewhere than a registry; the image gets no name. */
  pullFrom(
    source: ImageSource,
    reference: Reference,
    options: Omit<TransferOptions, 'credentials'> & Pick<PullOptions, 'platform'>,
  ): Promise<PulledImage> {
    return this.#puller.pull(source, reference, { ...options, unnamed: true });
  }

  /** Every tag of a repository. */
  tags(reference: Reference, options: Omit<TransferOptions, 'onProgress'>): Promise<string[]> {
    return this.#reading(reference, options, (repository) => repository.tags(options.signal));
  }

  /** What a name leads to, for one platform, without fetching layers. */
  resolve(
    reference: Reference,
    options: Omit<TransferOptions, 'onProgress'> & { readonly platform?: Platform | undefined },
  ): Promise<ResolvedImage> {
    const { platform, signal } = options;
    const retryDelayMs = this.#retryDelayMs;
    return this.#reading(reference, options, (repository) =>
      resolveImage(repository, reference, { platform, signal, retryDelayMs }),
    );
  }

  /** What the image of a name says of itself, for one platform; its layers stay where they are. */
  config(
    reference: Reference,
    options: Omit<TransferOptions, 'onProgress'> & { readonly platform: Platform },
  ): Promise<ImageConfig> {
    const { platform, signal } = options;
    const wish = { platform, signal, retryDelayMs: this.#retryDelayMs };
    return this.#reading(reference, options, async (repository) => {
      const { manifest } = await resolveImage(repository, reference, wish);
      return parseImageConfig(await fetchConfig(repository, manifest, wish));
    });
  }

  /**
   * Puts an image into a registry under a name: with those of other platforms with which the name was pushed before, or
   * alone.
   */
  async push(
    name: Reference & { readonly tag: string },
    options: TransferOptions & { readonly image: Image; readonly alone?: boolean },
  ): Promise<PushedImage> {
    const { image, alone = false, signal } = options;
    const sessions = await this.#sessions(name.domain, options.credentials ?? {});
    const request = { ...options, name, retryDelayMs: this.#retryDelayMs };
    return withEndpoints(
      sessions.filter(({ endpoint }) => !endpoint.isMirror),
      signal,
      async (session) => {
        const again =
          !alone && (await pushIndexAgain(session, this.#images, { imageId: image.id, name, signal }));
        if (again) return again;
        const pushed = await pushImage(session, this.#images, request);
        forgetIndexes(this.#images, image.id, name);
        return pushed;
      },
    );
  }

  /** Puts images for several platforms into a registry under one name. */
  async pushIndex(
    name: Reference & { readonly tag: string },
    options: TransferOptions & { readonly images: readonly PlatformImage[] },
  ): Promise<PushedImage> {
    const sessions = await this.#sessions(name.domain, options.credentials ?? {});
    const request = { ...options, name, retryDelayMs: this.#retryDelayMs };
    return withEndpoints(
      sessions.filter(({ endpoint }) => !endpoint.isMirror),
      options.signal,
      (session) => pushIndex(session, this.#images, request),
    );
  }

  /** The descriptor of what a name leads to, and the platforms that it is for. */
  inspect(
    reference: Reference,
    options: Omit<TransferOptions, 'onProgress'>,
  ): Promise<DistributionInspection> {
    return this.#reading(reference, options, (repository) =>
      inspectDistribution(repository, reference, {
        signal: options.signal,
        retryDelayMs: this.#retryDelayMs,
      }),
    );
  }

  /**
   * Proves credentials to a registry. Throws Unauthorized or Refused when it does not take them.
   *
   * @param server `host[:port]` or a URL; the official registry without one
   * @returns a token to be kept in place of the password; empty when the registry gives none
   */
  async login(server: string, credentials: Credentials, signal: AbortSignal): Promise<string> {
    const sessions = await this.#sessions(domainOfServer(server), credentials);
    return withEndpoints(
      sessions.filter(({ endpoint }) => !endpoint.isMirror),
      signal,
      (session) => session.login(signal),
    );
  }

  /** Repositories by a word, which may begin with the registry to ask. Throws when it has no search. */
  async search(
    term: string,
    options: Omit<TransferOptions, 'onProgress'> & { readonly limit: number },
  ): Promise<FoundRepository[]> {
    const { domain, word } = splitTerm(term);
    const sessions = await this.#sessions(domain, options.credentials ?? {});
    return withEndpoints(
      sessions.filter(({ endpoint }) => !endpoint.isMirror),
      options.signal,
      (session) => searchRegistry(session, { ...options, word }),
    ).catch((error: unknown) => {
      throw searchError(error, domain);
    });
  }

  async #reading<T>(
    reference: Reference,
    { credentials = {}, signal }: { readonly credentials?: Credentials; readonly signal: AbortSignal },
    use: (repository: Repository) => Promise<T>,
  ): Promise<T> {
    try {
      const sessions = await this.#sessions(reference.domain, credentials);
      return await withEndpoints(sessions, signal, (session) => use(new Repository(session, reference)));
    } catch (error) {
      throw pullError(error, reference);
    }
  }

  async #sessions(domain: string, credentials: Credentials): Promise<RegistrySession[]> {
    const { env = process.env, certificateDirectory = '/etc/docker/certs.d' } = this.#settings;
    const transport = new Transport({ env, certificateDirectory });
    const endpoints = await this.#endpoints(domain);
    return endpoints.map(
      (endpoint) =>
        new RegistrySession({ endpoint, transport, credentials: endpoint.isMirror ? {} : credentials }),
    );
  }

  async #endpoints(domain: string): Promise<Endpoint[]> {
    const { insecureRegistries, registryMirrors } = this.#settings;
    const insecure = await isInsecure(domain, insecureRegistries, async (host) =>
      (await lookup(host, { all: true })).map(({ address }) => address),
    );
    return endpointsOf(domain, { insecure, mirrors: registryMirrors });
  }
}
