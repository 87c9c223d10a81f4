import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { BuildEvent, Builder, BuildRequest, ContextSource } from '../../../../guest/builder/build.ts';
import { openBuilder } from '../../../../guest/builder/builder.ts';
import { LocalTrees } from '../../../../guest/builder/cache/local-trees.ts';
import { noLog } from '../../../../guest/log.ts';
import { type ImageSystem, imageSystem } from '../../../helpers/image-system.ts';

/** A request for a Dockerfile that is all the client has. */
export function request(text: string, more: Partial<BuildRequest> = {}): BuildRequest {
  return {
    dockerfile: { name: 'Dockerfile', text, ignore: null },
    ...{ context: null, namedContexts: new Map(), buildArgs: {}, labels: {}, noCache: false, pull: false },
    ...{ cacheFrom: [], network: 'default', extraHosts: [], ulimits: [], limits: {} },
    ...{ entitlements: new Set() },
    ...more,
  };
}

/** A named context whose files come when the test lets them; `opened` resolves when they are asked for. */
export class HeldContext implements ContextSource {
  readonly opened: Promise<void>;
  disposed = 0;
  readonly #directory: string;
  readonly #released: Promise<void>;
  #open: () => void = () => {};
  #release: (error?: Error) => void = () => {};

  constructor(t: Test, name: string, files: Readonly<Record<string, string>> = { [name]: name }) {
    this.#directory = join(t.testdirName, `context-${name}`);
    mkdirSync(this.#directory, { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(this.#directory, file), content);
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.#released = new Promise((resolve, reject) => {
      this.#release = (error) => (error ? reject(error) : resolve());
    });
    this.#released.catch(() => {});
  }

  release(error?: Error): void {
    this.#release(error);
  }

  async read(): Promise<null> {
    return null;
  }

  async open() {
    this.#open();
    await this.#released;
    return {
      directory: this.#directory,
      [Symbol.asyncDispose]: async () => {
        this.disposed++;
      },
    };
  }
}

export interface BuilderLab {
  readonly builder: Builder;
  /** What was asked of base images, as `image NAME` or `config NAME`. */
  readonly asked: string[];
  readonly makeImage: ImageSystem['make'];
  /** Builds, and gives what was told with the chain that came of it. */
  build(
    of: BuildRequest,
    signal?: AbortSignal,
  ): Promise<{
    readonly chainId: string | null /** The image's, as bytes. */;
    readonly config: string;
    readonly events: readonly BuildEvent[];
  }>;
}

/** A builder on a fresh data root, without anything that runs programs. Layers need root. */
export async function builderLab(t: Test): Promise<BuilderLab> {
  const system = await imageSystem(t);
  const nothing = {} as never;
  const asked: string[] = [];
  const find = async (what: string, reference: string) => {
    asked.push(`${what} ${reference}`);
    return system.images.resolve(reference);
  };
  const builder = await openBuilder({
    ...{ db: system.db, leases: system.leases, layers: system.layers, images: system.images },
    ...{ snapshotter: system.snapshots, paths: system.paths, log: noLog, cacheLimitBytes: 0 },
    ...{ runtime: nothing, networks: nothing, cgroups: nothing, host: nothing, neighbours: nothing },
    trees: new LocalTrees(system.paths.buildContexts),
    findImage: (reference) => find('image', reference),
    findConfig: async (reference) => (await find('config', reference)).config,
  });
  return {
    builder,
    asked,
    makeImage: system.make,
    async build(of, signal = new AbortController().signal) {
      const events: BuildEvent[] = [];
      using result = await builder.build(of, {
        ...{ signal, onProgress: (event) => events.push(event) },
        ...{ secret: async () => null, ssh: async () => null, registryAuth: async () => null },
      });
      return { chainId: result.chainId, config: result.configBytes.toString(), events };
    },
  };
}
