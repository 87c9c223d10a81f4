import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Lease } from '../../content/leases.ts';
import type { Digest } from '../../digest.ts';
import { newId } from '../../ids.ts';
import type { Image, ImageConfig } from '../../images/image.ts';
import { formatPlatform, hostPlatform, type Platform } from '../../images/platform.ts';
import { chainIdOfAll } from '../../layers/chain.ts';
import { ConfinedRoot } from '../../layers/confined-root.ts';
import type { LowerView } from '../../layers/lower-view.ts';
import { lowerView } from '../../layers/lower-view.ts';
import type { BuildRequest, BuildSupply, ContextSource, NamedImage, OpenContext } from '../build.ts';
import { BuildError } from '../build-error.ts';
import type { CachedStep } from '../cache/cache-store.ts';
import { ignoreLines } from '../dockerfile/ignore.ts';
import type { StageInstruction } from '../dockerfile/instruction.ts';
import type { Dockerfile, Stage } from '../dockerfile/stages.ts';
import { ShownTrees } from '../exec/shown-trees.ts';
import { checkFroms } from '../lint/from-rules.ts';
import type { Linter } from '../lint/linter.ts';
import type { BuilderDependencies } from '../parts.ts';
import { contextPaths } from './context-paths.ts';
import { fullName } from './full-name.ts';
import { cacheMember, ImageDraft, type InlineStep } from './image-draft.ts';
import { LayerSteps, type StepsUnderWay } from './layer-steps.ts';
import { type Plan, planBuild } from './plan.ts';
import { Vertex } from './progress.ts';
import { pullProgress } from './pull-progress.ts';
import { GlobalArgs, platformArgs } from './variables.ts';

/** What all stages of one build share. */
export class BuildRun implements AsyncDisposable {
  readonly id = newId();
  readonly dockerfile: Dockerfile;
  readonly request: BuildRequest;
  readonly supply: BuildSupply;
  readonly deps: BuilderDependencies;
  readonly globals: GlobalArgs;
  readonly plan: Plan;
  /** That the result is for. */
  readonly platform: Platform;
  readonly lease: Lease;
  /** Of base images, and of stages that others stand on; known when all stages are prepared. */
  readonly triggers: StageInstruction[] = [];
  /** Null where nothing is checked. */
  readonly linter: Linter | null;
  readonly steps: LayerSteps;
  readonly trees: ShownTrees;
  /** SOURCE_DATE_EPOCH: nothing that is made is later. */
  readonly epoch: Date | null;
  readonly #contexts = new Map<string, Promise<OpenContext>>();
  readonly #later: Promise<void>[] = [];
  readonly #images = new Map<string, Promise<Image>>();
  readonly #configs = new Map<string, Promise<ImageConfig>>();
  #ignore: Promise<string> | null = null;
  readonly #imported = new Map<Digest, CachedStep>();

  constructor(
    dockerfile: Dockerfile,
    request: BuildRequest,
    supply: BuildSupply,
    options: {
      readonly deps: BuilderDependencies;
      readonly lease: Lease;
      readonly underWay: StepsUnderWay;
      readonly linter: Linter | null;
    },
  ) {
    this.linter = options.linter;
    this.dockerfile = dockerfile;
    this.request = request;
    this.supply = supply;
    this.deps = options.deps;
    this.lease = options.lease;
    const platform = request.platform ?? hostPlatform;
    this.platform = platform;
    const mark = dockerfile.directives.escape;
    this.globals = new GlobalArgs(dockerfile.globalArgs, {
      given: request.buildArgs,
      platform: platformArgs(platform, request.target ?? 'default'),
      mark,
    });
    const { globals, linter } = this;
    if (linter) checkFroms(dockerfile, { globals, platform, target: request.target }, linter.report);
    this.plan = planBuild(dockerfile, request, { globals: this.globals, platform });
    this.epoch = epochOf(request);
    this.steps = new LayerSteps({
      cache: this.deps.cache,
      layers: this.deps.layers,
      lease: this.lease,
      underWay: options.underWay,
      imported: this.#imported,
      clock: () => this.epoch ?? new Date(),
    });
    this.trees = new ShownTrees(this.deps.snapshotter, join(this.deps.paths.buildRuns, this.id, 'trees'));
  }

  /** For the classic builder's door, whose words differ. */
  get isClassic(): boolean {
    return this.supply.keepImage !== undefined;
  }

  get mark(): string {
    return this.dockerfile.directives.escape;
  }

  /** Of this build on the data disk; it is removed at the end. */
  get directory(): string {
    const directory = join(this.deps.paths.builds, this.id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  }

  lower(chainId: Digest | null): LowerView {
    return lowerView(this.deps.layers.directories(chainId).map((path) => path.replace(/\/fs$/, '')));
  }

  /** A base image or one of `--from`. Throws BuildError when there is none, or NotFound for its platform. */
  image(named: NamedImage, platform: Platform): Promise<Image> {
    const key = imageKey(named, platform);
    const before = this.#images.get(key);
    if (before) return before;
    const vertex = this.#metadataVertex(named, platform);
    const found = vertex.run(async () => {
      const onProgress = pullProgress(vertex, this.supply.onProgress);
      const options = { ...this.#imageWish(platform), onProgress };
      const { find, reference } = named;
      const image = await (find?.(platform, options) ?? this.deps.findImage(reference, options));
      if (image.chainId) this.lease.hold(image.chainId);
      return { cached: false, value: image };
    });
    this.#images.set(key, found);
    found.catch(() => {});
    return found;
  }

  /** What {@link image} would say of itself, for who needs no files of it: one of a registry stays there. */
  async imageConfig(named: NamedImage, platform: Platform): Promise<ImageConfig> {
    const key = imageKey(named, platform);
    // A build has it already.
    if (named.find || this.#images.has(key)) return (await this.image(named, platform)).config;
    const found =
      this.#configs.get(key) ??
      this.#metadataVertex(named, platform).run(async () => ({
        cached: false,
        value: await this.deps.findConfig(named.reference, this.#imageWish(platform)),
      }));
    this.#configs.set(key, found);
    return found;
  }

  #imageWish(platform: Platform) {
    return { platform, always: this.request.pull, supply: this.supply };
  }

  #metadataVertex(named: NamedImage, platform: Platform): Vertex {
    const { reference, context } = named;
    const its = this.request.saysPlatform ? `${formatPlatform(platform)} ` : '';
    const of = context === undefined ? `${its}internal` : `context ${context}`;
    return this.vertex(
      `[${of}] load metadata for ${fullName(reference)}`,
      ['image', imageKey(named, platform)],
      [],
    );
  }

  /** Takes up what made the layers of `--cache-from` images; one that is not there is passed over, as everywhere. */
  async importCache(): Promise<void> {
    const { platform } = this;
    for (const reference of this.request.cacheFrom) {
      const image = await this.deps
        .findImage(reference, { platform, always: false, supply: this.supply })
        .catch(() => null);
      if (!image) continue;
      if (image.chainId) this.lease.hold(image.chainId);
      const document = JSON.parse(this.deps.images.configBytes(image.id).toString());
      for (const step of inlineSteps(document[cacheMember])) {
        const diffIds = image.config.rootfs.diff_ids.slice(0, step.layers);
        const chainId = step.layered ? chainIdOfAll(diffIds) : null;
        this.#imported.set(step.key, {
          key: step.key,
          chainId,
          parent: null,
          createdAt: new Date(step.created),
        });
      }
    }
  }

  /** Of the ignore file in force. */
  ignoreText(): Promise<string> {
    const { dockerfile, context } = this.request;
    this.#ignore ??= Promise.resolve(dockerfile.ignore ?? (context ? ignoreOf(context) : ''));
    return this.#ignore;
  }

  /** The build's context, or one of `--build-context`; transferred once. */
  context(name: string | null): Promise<OpenContext> {
    const key = name ?? '';
    const before = this.#contexts.get(key);
    if (before) return before;
    const named = name === null ? undefined : this.request.namedContexts.get(name);
    const title = (named?.kind === 'context' && named.title) || `[context ${name}] load from client`;
    const vertex = this.vertex(
      name === null ? '[internal] load build context' : title,
      ['context', name, name === null ? this.request.dockerfile.name : ''],
      [],
    );
    const opened = vertex.run(async () => ({ cached: false, value: await this.#open(name, vertex) }));
    this.#contexts.set(key, opened);
    opened.catch(() => {});
    return opened;
  }

  /** What an instruction is not to be taken from the cache for. */
  isFresh(stage: string): boolean {
    const { noCache } = this.request;
    return typeof noCache === 'boolean' ? noCache : noCache.includes(stage);
  }

  vertex(name: string, identity: unknown, inputs: readonly Vertex[]): Vertex {
    return new Vertex(this.supply.onProgress, { name, identity, inputs });
  }

  emptyDraft(platform: Platform): ImageDraft {
    return new ImageDraft(platform, this.epoch ?? new Date());
  }

  /** Work that no step waits for, but the end of the build, which fails when it does. */
  finishLater(work: Promise<void>): void {
    work.catch(() => {});
    this.#later.push(work);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.steps.flush();
    setImmediate(() => this.#touchSteps());
    await this.trees[Symbol.asyncDispose]();
    for (const opened of this.#contexts.values()) {
      const context = await opened.catch(() => null);
      await context?.[Symbol.asyncDispose]();
    }
    rmSync(join(this.deps.paths.builds, this.id), { recursive: true, force: true });
    rmSync(join(this.deps.paths.buildRuns, this.id), { recursive: true, force: true });
    await Promise.all(this.#later);
  }

  #touchSteps(): void {
    try {
      this.steps.touch();
    } catch (error) {
      this.deps.log.error({ error }, 'steps of the build cache keep the time of their use before');
    }
  }

  /** Stages whose steps may read something: a trigger may want one that nothing else needs. */
  #built(): readonly Stage[] {
    const { stages } = this.dockerfile;
    return this.triggers.length > 0 ? stages : this.plan.needed.map((index) => stages[index]!);
  }

  async #open(name: string | null, vertex: Vertex): Promise<OpenContext> {
    const source = name === null ? this.request.context : contextOf(this.request, name);
    if (!source) {
      throw new BuildError('this build has no context, only a Dockerfile: COPY and ADD find no files');
    }
    const text = name === null ? await this.ignoreText() : await ignoreOf(source);
    // A context for one platform is named so: `NAME::linux/arm64`.
    const paths = contextPaths(this.#built(), this.triggers, name?.replace(/::.*$/, '') ?? null);
    const { signal } = this.supply;
    const transfer = vertex.transfer(`transferring ${name ?? 'context'}:`);
    const opened = await source.open({ ignore: ignoreLines(text), paths, signal, onBytes: transfer.to });
    transfer.end();
    // A directory that cannot be opened is told of here.
    new ConfinedRoot(opened.directory)[Symbol.dispose]();
    return opened;
  }
}

function contextOf(request: BuildRequest, name: string): ContextSource | null {
  const named = request.namedContexts.get(name);
  return named?.kind === 'context' ? named.source : null;
}

async function ignoreOf(source: ContextSource): Promise<string> {
  return (await source.read('.dockerignore'))?.toString() ?? '';
}

function epochOf({ buildArgs }: BuildRequest): Date | null {
  const text = buildArgs.SOURCE_DATE_EPOCH;
  if (text === null || text === undefined || text === '') return null;
  if (!/^\d{1,12}$/.test(text)) throw new BuildError(`invalid SOURCE_DATE_EPOCH: ${text}`);
  return new Date(Number(text) * 1000);
}

/** From a stranger's image: what does not look right is passed over. */
function inlineSteps(value: unknown): InlineStep[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (step: InlineStep) =>
      typeof step?.key === 'string' &&
      Number.isInteger(step.layers) &&
      typeof step.layered === 'boolean' &&
      !Number.isNaN(Date.parse(step.created)),
  );
}

function imageKey({ reference }: NamedImage, platform: Platform): string {
  return JSON.stringify([reference, platform]);
}
