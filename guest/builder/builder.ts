import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../errors.ts';
import { tryRun } from '../host/exec.ts';
import type {
  BuildCacheRecord,
  Builder,
  BuildRequest,
  BuildResult,
  BuildSupply,
  CachePruneOptions,
  CheckResult,
} from './build.ts';
import { CacheKeeper } from './cache/cache-keeper.ts';
import { CacheStore } from './cache/cache-store.ts';
import { MountStore } from './cache/mount-store.ts';
import { checkFilters, prunable } from './cache/prune.ts';
import { parseDockerfile } from './dockerfile/stages.ts';
import { checkStages } from './lint/check-stages.ts';
import { lintText } from './lint/lint-text.ts';
import type { Linter } from './lint/linter.ts';
import { warningOf } from './lint/warning.ts';
import type { BuilderDependencies, BuilderParts } from './parts.ts';
import { BuildRun } from './solver/build-run.ts';
import type { StepsUnderWay } from './solver/layer-steps.ts';
import { solve } from './solver/solve.ts';

/** Opens the builder of an engine, and sweeps what builds of an earlier one left. */
export async function openBuilder(parts: BuilderParts): Promise<Builder> {
  await sweepBuilds(parts);
  const cache = new CacheStore(parts.db);
  const mounts = new MountStore(parts.db, parts.paths.buildMounts);
  await mounts.sweep();
  const deps: BuilderDependencies = { ...parts, cache, mounts };
  const underWay: StepsUnderWay = new Map();
  const running = new Set<BuildRun>();
  const usage = async (): Promise<BuildCacheRecord[]> => {
    const inUse = new Set([...running].flatMap((run) => [...run.steps.used]));
    return [...cache.records(inUse), ...(await mounts.records()), ...(await parts.trees.records())];
  };
  const prune = async (options: CachePruneOptions): Promise<BuildCacheRecord[]> => {
    checkFilters(options.filters);
    const gone = prunable(await usage(), options);
    const ids = (...types: readonly BuildCacheRecord['type'][]) =>
      gone.filter(({ type }) => types.includes(type)).map(({ id }) => id);
    cache.remove(ids('regular', 'internal'));
    for (const id of ids('exec.cachemount')) await mounts.remove(id);
    for (const id of ids('source.local')) await parts.trees.remove(id);
    await parts.layers.collect();
    return gone;
  };
  const keeper = new CacheKeeper({
    limitBytes: parts.cacheLimitBytes,
    prune,
    onError: (error) => parts.log.error({ error }, 'the build cache cannot be kept below its limit'),
  });
  return {
    async build(request: BuildRequest, supply: BuildSupply): Promise<BuildResult> {
      // The classic builder has no such rules.
      const linter = supply.keepImage
        ? null
        : lintText(request, (finding) => supply.onProgress(warningOf(finding)));
      const dockerfile = request.dockerfile.parsed ?? parseDockerfile(request.dockerfile.text);
      using _ = keeper.build();
      const lease = parts.leases.open();
      try {
        await using run = new BuildRun(dockerfile, request, supply, { deps, lease, underWay, linter });
        running.add(run);
        try {
          return await solve(run);
        } finally {
          running.delete(run);
        }
      } catch (error) {
        lease[Symbol.dispose]();
        throw error;
      }
    },
    async check(request: BuildRequest, supply: BuildSupply): Promise<CheckResult> {
      let linter: Linter | null = null;
      try {
        linter = lintText(request);
        const dockerfile = parseDockerfile(request.dockerfile.text);
        using lease = parts.leases.open();
        await using run = new BuildRun(dockerfile, request, supply, { deps, lease, underWay, linter });
        const all = dockerfile.stages.map(({ index }) => index);
        await checkStages(run, request.target ? run.plan.needed : all, linter.report);
        linter.finish();
        return { findings: linter.findings, error: null };
      } catch (error) {
        supply.signal.throwIfAborted();
        if (!(error instanceof EngineError)) throw error;
        return { findings: linter?.findings ?? [], error };
      }
    },
    cache: { usage, prune, limitBytes: parts.cacheLimitBytes },
  };
}

/** What a build that was cut off has left: programs, snapshots, mounts, directories. */
export async function sweepBuilds(
  parts: Pick<BuilderParts, 'db' | 'paths' | 'runtime' | 'snapshotter' | 'networks'>,
): Promise<void> {
  const rows = parts.db.prepare("SELECT key FROM snapshots WHERE key GLOB 'build-*'").all();
  for (const { key } of rows) {
    await parts.runtime.remove(String(key));
    await parts.networks.releaseSandbox(String(key));
    await parts.snapshotter.remove(String(key));
  }
  const { buildRuns, builds } = parts.paths;
  if (existsSync(buildRuns)) {
    for (const id of readdirSync(buildRuns)) {
      const trees = join(buildRuns, id, 'trees');
      const mounted = existsSync(trees) ? readdirSync(trees).map((name) => join(trees, name)) : [];
      if (mounted.length > 0) await tryRun('umount', ['-l', ...mounted]);
    }
    rmSync(buildRuns, { recursive: true, force: true });
  }
  rmSync(builds, { recursive: true, force: true });
}
