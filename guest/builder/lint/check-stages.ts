import { formatPlatform, type Platform } from '../../images/platform.ts';
import { ignoreLines, ignoreRules } from '../dockerfile/ignore.ts';
import type { FromInstruction, StageInstruction } from '../dockerfile/instruction.ts';
import type { BuildRun } from '../solver/build-run.ts';
import { attempt } from './attempt.ts';
import type { Report } from './rules.ts';
import { checkStage, type LintedStage } from './stage-rules.ts';

/** Without a PATH of its own, an image has the usual one. */
const pathOnly = ['PATH='];

/** Rules of the instructions of these stages; asks what their base images say of themselves. */
export async function checkStages(build: BuildRun, wanted: readonly number[], report: Report): Promise<void> {
  const { dockerfile, plan, globals, mark } = build;
  const copies = wanted.some((index) => dockerfile.stages[index]!.instructions.some(isContextCopy));
  const ignoreText = copies ? await build.ignoreText() : null;
  const ignore = ignoreText === null ? null : attempt(() => ignoreRules(ignoreLines(ignoreText)));
  const globalNames = dockerfile.globalArgs.flatMap(({ args }) => args.map(({ name }) => name));
  const linted = new Map<number, LintedStage>();
  const lint = async (index: number): Promise<LintedStage> => {
    const known = linted.get(index);
    if (known) return known;
    const planned = plan.stages[index]!;
    const { base } = planned;
    let below: LintedStage = fresh(pathOnly, false);
    if (base.kind === 'stage') below = await lint(base.index);
    else if (base.kind === 'image') {
      const { config, os, architecture, variant } = await build.imageConfig(base, planned.platform);
      const { from } = planned.stage;
      checkPlatform(from, { os, architecture, variant }, planned.platform, report);
      below = fresh([...(config?.Env ?? []), ...pathOnly], (config?.Shell ?? []).length > 0);
    }
    const result = checkStage(planned.stage, below, { globals, globalNames, mark, ignore }, report);
    linted.set(index, result);
    return result;
  };
  for (const index of wanted) await lint(index);
}

/** An image that there is for one platform only is taken for any. */
function checkPlatform(
  { base, range }: FromInstruction,
  its: Platform,
  wanted: Platform,
  report: Report,
): void {
  if (its.os === wanted.os && its.architecture === wanted.architecture) return;
  report(
    'InvalidBaseImagePlatform',
    range,
    `Base image ${base} was pulled with platform "${formatPlatform(its)}", expected "${formatPlatform(wanted)}" for current build`,
  );
}

function fresh(env: readonly string[], hasShell: boolean): LintedStage {
  return { env, hasShell, hasWorkdir: false, declared: new Set(), args: new Map() };
}

function isContextCopy(instruction: StageInstruction): boolean {
  return (instruction.kind === 'copy' || instruction.kind === 'add') && instruction.from === null;
}
