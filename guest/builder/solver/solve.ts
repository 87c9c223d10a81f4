import type { BuildResult } from '../build.ts';
import { checkStages } from '../lint/check-stages.ts';
import type { BuildRun } from './build-run.ts';
import type { ImageDraft } from './image-draft.ts';
import { StageBuild } from './stage-build.ts';

/**
 * Builds the target and what it needs: stages that need nothing of each other side by side. When one fails, the
 * others are waited for, so that nothing of the build goes on behind its back.
 */
export async function solve(build: BuildRun): Promise<BuildResult> {
  const { plan, request, supply } = build;
  await build.importCache();
  const builds = new Map<number, StageBuild>();
  const results = new Map<number, Promise<ImageDraft>>();
  let total = 0;
  const stageResult = (index: number): Promise<ImageDraft> => {
    const before = results.get(index);
    if (before) return before;
    const result = result0(index);
    results.set(index, result);
    result.catch(() => {});
    return result;
  };
  const result0 = async (index: number) => {
    // A trigger may want a stage that nothing else needs.
    if (!builds.has(index)) await prepare(index);
    return builds.get(index)!.run(total);
  };
  const prepare = async (index: number) => {
    const planned = plan.stages[index]!;
    const { base } = planned;
    if (base.kind === 'stage' && !builds.has(base.index)) await prepare(base.index);
    const stage = new StageBuild({ build, planned, stageResult });
    builds.set(index, stage);
    const below = base.kind === 'stage' ? builds.get(base.index)! : null;
    total = (await stage.prepare(below, total + 1)) - 1;
  };
  tellGlobals(build);
  total = build.dockerfile.globalArgs.length;
  for (const index of plan.needed) await prepare(index);
  if (build.linter) await checkStages(build, plan.needed, build.linter.report);
  build.linter?.finish();
  const all = plan.needed.map(stageResult);
  const settled = await Promise.allSettled(all);
  supply.signal.throwIfAborted();
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
  const draft = await stageResult(plan.target);
  const { config, bytes } = draft.toConfig(supply.keepImage ? {} : request.labels);
  const { lease } = build;
  return {
    config,
    configBytes: bytes,
    chainId: draft.chainId,
    platform: build.platform,
    lease,
    [Symbol.dispose]: () => lease[Symbol.dispose](),
  };
}

/** ARG before the first FROM is a step too, for those who count. */
function tellGlobals({ dockerfile, supply }: BuildRun): void {
  for (const [i, { text }] of dockerfile.globalArgs.entries()) {
    const step = { kind: 'instruction', step: i + 1, total: 0, text, vertex: null, cached: false } as const;
    supply.onProgress({ ...step, state: 'started' });
    supply.onProgress({ ...step, state: 'completed' });
  }
}
