import type { Digest } from '../../digest.ts';
import type { ContainerDefaults, HistoryEntry, Image, ImageConfig } from '../../images/image.ts';
import type { Platform } from '../../images/platform.ts';
import type { Layer } from '../../layers/snapshotter.ts';
import { defaultPath } from '../../runtime/spec/paths.ts';

type Config = { -readonly [K in keyof ContainerDefaults]: ContainerDefaults[K] };

/** The keys of the steps that made an image's layers, kept in its configuration for `--cache-from`. */
export const cacheMember = 'machine.cache.v1';

export interface InlineStep {
  readonly key: Digest;
  /** How many layers the image had after it. */
  readonly layers: number;
  /** The step made the last of them. */
  readonly layered: boolean;
  readonly created: string;
}

/** Every image that is built says where its programs are. */
function withPath(env: readonly string[]): readonly string[] {
  return env.some((entry) => entry.startsWith('PATH=')) ? env : [...env, defaultPath];
}

/** An image that grows, step by step. */
export class ImageDraft {
  readonly platform: Platform;
  readonly config: Config;
  chainId: Digest | null = null;
  /** Of the last step: what the next one stands on. */
  key: Digest | null = null;
  createdAt: Date;
  /** The base image, or the one that was kept of the last instruction. */
  imageId: Digest | null = null;
  author = '';
  /** ARGs of its stage, which a stage on top of it has too. */
  args: ReadonlyMap<string, string> = new Map();
  readonly #diffIds: Digest[];
  readonly #history: HistoryEntry[];
  readonly #steps: InlineStep[] = [];

  constructor(platform: Platform, createdAt: Date, base?: Pick<Image, 'config' | 'chainId'>) {
    this.platform = platform;
    this.createdAt = createdAt;
    const { Env } = base?.config.config ?? {};
    this.config = { ...base?.config.config, Env: withPath(Env ?? []) };
    this.chainId = base?.chainId ?? null;
    this.author = base?.config.author ?? '';
    this.#diffIds = [...(base?.config.rootfs.diff_ids ?? [])];
    this.#history = [...(base?.config.history ?? [])];
  }

  /** For a stage on top of this one. */
  copy(): ImageDraft {
    const copy = new ImageDraft(this.platform, this.createdAt);
    Object.assign(copy.config, structuredClone(this.config));
    copy.chainId = this.chainId;
    copy.key = this.key;
    copy.imageId = this.imageId;
    copy.author = this.author;
    copy.args = this.args;
    copy.#diffIds.push(...this.#diffIds);
    copy.#history.push(...this.#history);
    copy.#steps.push(...this.#steps);
    return copy;
  }

  /** @param layer null for a step that made none */
  add(step: {
    readonly key: Digest;
    readonly layer: Pick<Layer, 'chainId' | 'diffId'> | null;
    readonly createdAt: Date;
    readonly createdBy: string;
  }): void {
    const created = step.createdAt.toISOString();
    if (step.layer) {
      this.#diffIds.push(step.layer.diffId);
      this.chainId = step.layer.chainId;
    }
    this.key = step.key;
    this.createdAt = step.createdAt;
    this.#steps.push({ key: step.key, layers: this.#diffIds.length, layered: step.layer !== null, created });
    this.#history.push({
      created,
      created_by: step.createdBy,
      comment: 'buildkit.dockerfile.v0',
      ...(step.layer ? {} : { empty_layer: true }),
    });
  }

  /** What the last step made of the draft: with the image of the steps before, all that {@link toConfig} is made of. */
  lastChange(): string {
    const { platform, author, config, chainId } = this;
    const steps = [this.#steps.length, this.#steps.at(-1)];
    return JSON.stringify([platform, author, config, chainId, steps, this.#history.at(-1)]);
  }

  /** @param labels of the request, over those of the Dockerfile */
  toConfig(labels: Readonly<Record<string, string>> = {}): { config: ImageConfig; bytes: Buffer } {
    const { os, architecture, variant } = this.platform;
    // Sorted, as Go writes maps: clients say labels in any order, and the same build must be the same image.
    const all = Object.fromEntries(
      Object.entries({ ...this.config.Labels, ...labels }).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    const config: ImageConfig = {
      architecture,
      os,
      ...(variant && { variant }),
      created: this.createdAt.toISOString(),
      ...(this.author && { author: this.author }),
      config: { ...this.config, ...(Object.keys(all).length > 0 && { Labels: all }) },
      rootfs: { type: 'layers', diff_ids: [...this.#diffIds] },
      history: [...this.#history],
    };
    const steps = this.#steps.length > 0 ? { [cacheMember]: this.#steps } : {};
    return { config, bytes: Buffer.from(JSON.stringify({ ...config, ...steps })) };
  }
}
