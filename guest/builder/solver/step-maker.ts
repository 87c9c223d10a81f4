import { digestOf } from '../../digest.ts';
import type { StageInstruction } from '../dockerfile/instruction.ts';
import { configStep } from './config-step.ts';
import { copyLayer } from './copy-layer.ts';
import { runLayer } from './run-layer.ts';
import type { LayerWish, StepContext } from './step-context.ts';
import { workdirLayer } from './workdir-layer.ts';

/** What the steps of one stage have in common but for the vertex and what is only of the step itself. */
export type ConfigContext = Pick<StepContext, 'build' | 'stage' | 'draft' | 'scope' | 'isFresh'>;

/** Does an instruction that only changes the configuration; returns whether it was done before. */
export function makeConfig(
  instruction: StageInstruction,
  context: ConfigContext,
  commands: { cmdSet: boolean },
): boolean {
  return keepConfig(configStep(instruction, context.draft, context.scope, commands)!, context);
}

/** Does an instruction that may make a layer; returns whether that was taken from the cache. */
export async function makeLayer(
  instruction: StageInstruction,
  context: StepContext,
  commands: { cmdSet: boolean },
): Promise<boolean> {
  const { build, draft, scope, vertex, isFresh } = context;
  configStep(instruction, draft, scope, commands);
  const wish = await wishOf(instruction, context);
  if (!('make' in wish)) return keepConfig(wish.createdBy, context);
  const alias = isFresh ? undefined : wish.alias;
  const result =
    (alias && build.steps.findAlias(alias, draft.chainId)) ??
    (await build.steps.run({
      key: await wish.key(),
      ...(alias && { alias }),
      parent: draft.key,
      parentChain: draft.chainId,
      type: 'regular',
      description: vertex.name,
      fresh: isFresh,
      make: wish.make,
    }));
  draft.add({ ...result, createdBy: wish.createdBy });
  return result.cached;
}

function wishOf(instruction: StageInstruction, context: StepContext): Promise<LayerWish> | LayerWish {
  switch (instruction.kind) {
    case 'run':
      return runLayer(instruction, context);
    case 'workdir':
      return workdirLayer(instruction, context);
    case 'copy':
    case 'add':
      return copyLayer(instruction, context);
    default:
      throw new TypeError(`${instruction.keyword} makes no layer`);
  }
}

/** A step that makes no layer: it is remembered for the time of its making. */
function keepConfig(createdBy: string, { build, draft, scope, isFresh }: ConfigContext): boolean {
  const key = digestOf(JSON.stringify(['config', draft.key, createdBy, [...scope.args], build.epoch]));
  const kept = isFresh ? undefined : build.steps.find(key, draft.chainId);
  const createdAt = kept?.createdAt ?? build.epoch ?? new Date();
  if (!kept)
    build.steps.keep(
      { key, parent: draft.key, type: 'internal', description: createdBy },
      { layer: null, createdAt, cached: false },
    );
  draft.add({ key, layer: null, createdAt, createdBy });
  return kept !== undefined;
}
