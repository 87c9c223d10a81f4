import type { Lease } from '../../content/leases.ts';
import type { Digest } from '../../digest.ts';
import type { OverlayLayerStore } from '../../layers/overlay-layer-store.ts';
import type { Layer } from '../../layers/snapshotter.ts';
import type { BuildCacheRecord } from '../build.ts';
import type { CachedStep, CacheStore, NewStep } from '../cache/cache-store.ts';

export interface StepWish {
  readonly key: Digest;
  /** Another key that stands for the same, quicker to compute. */
  readonly alias?: Digest;
  readonly parent: Digest | null;
  readonly parentChain: Digest | null;
  readonly type: BuildCacheRecord['type'];
  readonly description: string;
  /** Not to be taken from the cache. */
  readonly fresh: boolean;
  /** Null when nothing changed. The layer is held by the build's lease. */
  make(): Promise<Layer | null>;
}

export interface StepResult {
  /** Never an alias. */
  readonly key: Digest;
  readonly layer: Layer | null;
  readonly createdAt: Date;
  readonly cached: boolean;
}

/** Steps of this engine that are being made, by key: two builds do not make the same one at once. */
export type StepsUnderWay = Map<Digest, Promise<unknown>>;

/** Takes steps of one build from the cache, or has them made and keeps them. */
export class LayerSteps {
  readonly #cache: CacheStore;
  readonly #layers: OverlayLayerStore;
  readonly #lease: Lease;
  readonly #underWay: StepsUnderWay;
  readonly #imported: ReadonlyMap<Digest, CachedStep>;
  readonly #clock: () => Date;
  /** Steps without a layer, written together. */
  readonly #pending: NewStep[] = [];
  readonly #used = new Set<Digest>();

  constructor(options: {
    readonly cache: CacheStore;
    readonly layers: OverlayLayerStore;
    readonly lease: Lease;
    readonly underWay: StepsUnderWay;
    /** From `--cache-from`. */
    readonly imported: ReadonlyMap<Digest, CachedStep>;
    readonly clock: () => Date;
  }) {
    this.#cache = options.cache;
    this.#layers = options.layers;
    this.#lease = options.lease;
    this.#underWay = options.underWay;
    this.#imported = options.imported;
    this.#clock = options.clock;
  }

  get used(): ReadonlySet<string> {
    return this.#used;
  }

  async run(wish: StepWish): Promise<StepResult> {
    const { key, alias } = wish;
    const kept = wish.fresh ? undefined : this.find(key, wish.parentChain);
    if (kept && alias) this.keep({ ...wish, key: alias, parent: key, type: 'internal' }, kept);
    if (kept) return kept;
    const other = this.#underWay.get(key);
    if (other && !wish.fresh) {
      // Should it fail, the reason may be its own.
      await other.catch(() => {});
      const made = this.find(key, wish.parentChain);
      if (made) return made;
    }
    const making = this.#make(wish);
    this.#underWay.set(key, making);
    try {
      const result = await making;
      if (alias) this.keep({ ...wish, key: alias, parent: key, type: 'internal' }, result);
      return result;
    } finally {
      if (this.#underWay.get(key) === making) this.#underWay.delete(key);
    }
  }

  /** What is kept for a key, when its layer is still there. */
  find(key: Digest, parentChain: Digest | null): StepResult | undefined {
    const step = this.#cache.find(key) ?? this.#imported.get(key);
    if (!step) return undefined;
    if (step.chainId) this.#lease.hold(step.chainId);
    const layer = step.chainId ? this.#layers.find(step.chainId) : null;
    if (layer === undefined || (layer && layer.parent !== parentChain)) return undefined;
    this.#used.add(key);
    return { key, layer, createdAt: step.createdAt, cached: true };
  }

  /** The same by an alias, whose row has the step itself for its parent. */
  findAlias(alias: Digest, parentChain: Digest | null): StepResult | undefined {
    const key = this.#cache.find(alias)?.parent;
    const found = key ? this.find(key, parentChain) : undefined;
    if (found) this.#used.add(alias);
    return found;
  }

  /** Remembers a step; one without a layer at the end of the build, or with the next layer. */
  keep(step: Omit<NewStep, 'chainId' | 'createdAt'>, { layer, createdAt }: Omit<StepResult, 'key'>): void {
    const { key, parent, type, description } = step;
    this.#pending.push({ key, parent, type, description, chainId: layer?.chainId ?? null, createdAt });
    if (layer) this.#write();
  }

  /** At the end of the build, also of one that failed. */
  flush(): void {
    this.#write();
  }

  /** Says of all that was used that it was; the client need not wait for that. */
  touch(): void {
    this.#cache.touch([...this.#used]);
  }

  async #make(wish: StepWish): Promise<StepResult> {
    const layer = await wish.make();
    const result = { key: wish.key, layer, createdAt: this.#clock(), cached: false };
    this.keep(wish, result);
    return result;
  }

  #write(): void {
    this.#cache.put(this.#pending.splice(0));
  }
}
