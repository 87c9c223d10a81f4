import type { Lease } from '../content/leases.ts';
import type { Digest } from '../digest.ts';
import type { EngineError } from '../errors.ts';
import type { Image, ImageConfig } from '../images/image.ts';
import type { ImageBetween } from '../images/image-store.ts';
import type { Platform } from '../images/platform.ts';
import type { OnProgress, ProgressLine } from '../registry/progress.ts';
import type { ResourceLimits } from '../runtime/spec/resources.ts';
import type { Ulimit } from '../runtime/spec/ulimits.ts';
import type { Dockerfile } from './dockerfile/stages.ts';
import type { LineRange } from './line-range.ts';
import type { Finding } from './lint/rules.ts';

/**
 * What a build is, for the two doors that ask for one (`POST /build` and BuildKit's) and the builder behind
 * them. A door makes a {@link BuildRequest} of what its client said and a {@link BuildSupply} of what its client
 * can be asked for, shows progress in its own way, and does with the {@link BuildResult} what the client wants:
 * the builder neither names images nor writes them anywhere.
 */
export interface Builder {
  /**
   * Throws BuildError when the Dockerfile, one of its steps or the request is wrong, and the signal's reason when
   * aborted; then nothing is left but what the cache keeps. The result is to be disposed of once the image is
   * recorded or exported.
   */
  build(request: BuildRequest, supply: BuildSupply): Promise<BuildResult>;
  /**
   * Looks for what works and may not be meant, without building; by its own rules and in all stages, when no target is
   * asked for. What is wrong is in the answer. Throws the signal's reason when aborted.
   */
  check(request: BuildRequest, supply: BuildSupply): Promise<CheckResult>;
  readonly cache: BuildCache;
}

export interface CheckResult {
  readonly findings: readonly Finding[];
  /** For which it could not be built. */
  readonly error: EngineError | null;
}

export const networkModes = ['default', 'none', 'host'] as const;
export type BuildNetwork = (typeof networkModes)[number];

export interface BuildRequest {
  readonly dockerfile: DockerfileSource;
  /** Null when the client sent nothing but a Dockerfile. */
  readonly context: ContextSource | null;
  /** `--build-context`: by name; takes the place of a stage, an image or the context of that name. */
  readonly namedContexts: ReadonlyMap<string, NamedContext>;
  /** Name or number of a stage; absent = the last one. */
  readonly target?: string | undefined;
  /** A value of null is taken from nowhere: the argument was named without a value. */
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform?: Platform | undefined;
  /** It is one of several builds, for a platform each, that are shown together: its steps say which they are of. */
  readonly saysPlatform?: boolean;
  /** True = nothing is taken from the cache; a list = nothing of these stages. What is made is kept alike. */
  readonly noCache: boolean | readonly string[];
  /** Ask the registry for every base image, also for those that are here. */
  readonly pull: boolean;
  /** Images whose layers may be taken for steps that made them. */
  readonly cacheFrom: readonly string[];
  /** Of steps that do not say `--network`; another word is a network's name. */
  readonly network: string;
  /** `host:ip`; `host-gateway` is an address word. */
  readonly extraHosts: readonly string[];
  readonly shmBytes?: number | undefined;
  readonly ulimits: readonly Ulimit[];
  readonly limits: ResourceLimits;
  readonly cgroupParent?: string | undefined;
  /** The name of the container that steps run in. */
  readonly hostname?: string | undefined;
  /** What `RUN --network=host` and `RUN --security=insecure` may have. */
  readonly entitlements: ReadonlySet<'network.host' | 'security.insecure'>;
}

/** The Dockerfile as it was read by the door. */
export interface DockerfileSource {
  /** As the client calls it; errors show it. */
  readonly name: string;
  readonly text: string;
  /** Text of `NAME.dockerignore` beside it, which goes before the context's own; null when there is none. */
  readonly ignore: string | null;
  /** Of a door that has parsed it. */
  readonly parsed?: Dockerfile;
}

/**
 * A directory of the client's, transferred when the first step needs it. Contents are hostile: they are only
 * ever opened below {@link OpenContext.directory}, and links in them are resolved against it.
 */
export interface ContextSource {
  /** A file at its top, without transferring the rest where that is possible; null when there is none. */
  read(path: string): Promise<Buffer | null>;
  /** Called at most once a build. What is excluded must not be in it. */
  open(wish: ContextWish): Promise<OpenContext>;
}

export interface ContextWish {
  /** Lines of the ignore file in force, as they stand there. */
  readonly ignore: readonly string[];
  /** What steps will read: paths and patterns below the context; null = everything. */
  readonly paths: readonly string[] | null;
  readonly signal: AbortSignal;
  /** Bytes that came so far, for the progress of a transfer. */
  readonly onBytes?: (bytes: number) => void;
}

export interface OpenContext extends AsyncDisposable {
  /**
   * Modes, times and links as they were sent. Nothing may write to it any more.
   */
  readonly directory: string;
  /** sha256 of a file's bytes (hex), where it was learnt on the way; the path is a byte string. */
  hashOf?(path: string): string | undefined;
}

export type NamedContext =
  | {
      readonly kind: 'context';
      readonly source: ContextSource;
      /** What its transfer is called; absent = it comes from the client. */
      readonly title?: string;
    }
  | NamedImage;

/** `docker-image://`, and images from elsewhere. */
export interface NamedImage {
  readonly kind: 'image';
  readonly reference: string;
  /** The name of the context that it is. */
  readonly context?: string;
  /** Gets it, when it is none of a registry's. Throws NotFound for a platform that it does not have. */
  readonly find?: (platform: Platform, options: { readonly onProgress: OnProgress }) => Promise<Image>;
}

/** What a build asks of its door while it runs. */
export interface BuildSupply {
  readonly signal: AbortSignal;
  readonly onProgress: (event: BuildEvent) => void;
  /**
   * Keeps what an instruction left as an image on top of the one before, and returns its id: the classic builder has
   * an image of each. Its labels of the request are instructions too.
   */
  keepImage?(image: ImageBetween): Digest;
  /** `RUN --mount=type=secret`: null when the client has none by that id. */
  secret(id: string): Promise<Buffer | null>;
  /** `RUN --mount=type=ssh`: a unix socket that talks to the client's agent; null when it offers none. */
  ssh(id: string): Promise<AgentSocket | null>;
  /** Credentials for a registry, as X-Registry-Auth has them; null = none. */
  registryAuth(host: string): Promise<RegistryCredentials | null>;
}

export interface AgentSocket extends AsyncDisposable {
  readonly path: string;
}

export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly identityToken?: string;
}

/**
 * Progress. A vertex is what BuildKit calls one: an instruction that makes or gets files. Every vertex of the
 * build is told of first, with its inputs; then it starts, logs, and completes.
 */
export type BuildEvent =
  | VertexEvent
  | {
      readonly kind: 'log';
      readonly vertex: Digest;
      readonly stream: 1 | 2;
      readonly data: Buffer;
      readonly at: Date;
    }
  | StatusEvent
  | WarningEvent
  | InstructionEvent
  | PullEvent;

export interface VertexEvent {
  readonly kind: 'vertex';
  /** The same for the same instruction on the same inputs in every build. */
  readonly digest: Digest;
  readonly inputs: readonly Digest[];
  /** `[stage-1 2/6] RUN make`, `[internal] load build context` */
  readonly name: string;
  readonly startedAt?: Date;
  readonly completedAt?: Date;
  readonly cached: boolean;
  readonly error?: string;
}

/** A part of a vertex that counts: a transfer, an extraction. */
export interface StatusEvent {
  readonly kind: 'status';
  readonly vertex: Digest;
  readonly id: string;
  readonly current: number;
  /** 0 when not known. */
  readonly total: number;
  readonly startedAt: Date;
  readonly completedAt?: Date;
}

/** Of the Dockerfile: it is shown with the vertex that got it. */
export interface WarningEvent {
  readonly kind: 'warning';
  /** `ConsistentInstructionCasing: …` */
  readonly short: string;
  readonly detail: readonly string[];
  readonly url: string;
  /** Lines of the Dockerfile, counted from 1. */
  readonly range: LineRange | null;
}

/**
 * For the classic door, which shows every instruction of the stages that are built, those too that only change
 * the configuration. Of stages that run side by side they come mixed; `step` is the order of the Dockerfile.
 */
export interface InstructionEvent {
  readonly kind: 'instruction';
  readonly step: number;
  readonly total: number;
  /** As it stands in the Dockerfile, continuation lines joined. */
  readonly text: string;
  readonly vertex: Digest | null;
  readonly state: 'started' | 'running' | 'completed';
  /** Of FROM: how many instructions its base triggers. They have its step, and come before it is completed. */
  readonly triggers?: number;
  /** One of those. */
  readonly triggered?: true;
  /** Of a completed one: the image that was kept of it (see {@link BuildSupply.keepImage}); null for `FROM scratch`. */
  readonly imageId?: Digest | null;
  readonly cached?: boolean;
  /** It is the last of its stage. */
  readonly endsStage?: true;
  /** Of a running one. */
  readonly containerId?: string;
}

/** For the classic door, which shows a pull as `docker pull` does; it is told as statuses of a vertex too. */
export interface PullEvent {
  readonly kind: 'pull';
  readonly line: ProgressLine;
}

/** What was built. Its layers are held until it is disposed of. */
export interface BuildResult extends Disposable {
  readonly config: ImageConfig;
  /** JSON of the configuration: its digest is the image's id. */
  readonly configBytes: Buffer;
  /** Top layer; null for an image without files. */
  readonly chainId: Digest | null;
  /** The one that was asked for, whatever the base image says of itself. */
  readonly platform: Platform;
  readonly lease: Lease;
}

/** What earlier builds left. */
export interface BuildCache {
  /** Above it, what was used least recently goes by itself when no build runs; 0 = no limit. */
  readonly limitBytes: number;
  /** For `docker system df` and `docker builder du`, latest used last. */
  usage(): Promise<BuildCacheRecord[]>;
  /** Forgets records that match and are not in use; returns those that went. */
  prune(options: CachePruneOptions): Promise<BuildCacheRecord[]>;
}

export interface BuildCacheRecord {
  readonly id: string;
  readonly parents: readonly string[];
  /** Docker's words; `exec.cachemount` is a `RUN --mount=type=cache`. */
  readonly type: 'regular' | 'exec.cachemount' | 'source.local' | 'internal';
  readonly description: string;
  readonly inUse: boolean;
  /** An image has the same layer. */
  readonly shared: boolean;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  readonly usageCount: number;
}

export interface CachePruneOptions {
  /** Also what images share and what is internal. */
  readonly all: boolean;
  /** Only what is not needed to come down to this; 0 = no limit. */
  readonly keepBytes: number;
  /** Only what was last used before. */
  readonly unusedSince?: Date | undefined;
  /** `id`, `parent`, `type`, `description`, `inuse`, `shared`, `private`: all must match. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
}
