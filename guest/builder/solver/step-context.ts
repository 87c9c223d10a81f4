import { posix } from 'node:path';
import type { Digest } from '../../digest.ts';
import type { BuildRun } from './build-run.ts';
import type { ImageDraft } from './image-draft.ts';
import type { PlannedStage } from './plan.ts';
import type { Vertex } from './progress.ts';
import type { StageScope } from './variables.ts';

/** What a step's maker needs. */
export interface StepContext {
  readonly build: BuildRun;
  readonly stage: PlannedStage;
  readonly draft: ImageDraft;
  readonly scope: StageScope;
  readonly vertex: Vertex;
  readonly isFresh: boolean;
  /** The step runs in a container. */
  onContainer(id: string): void;
  /** The result of another stage, built if nobody has asked for it yet. */
  stageResult(index: number): Promise<ImageDraft>;
}

/** A layer to be made, or a step that turned out to make none. */
export type LayerWish =
  | {
      /** What decides whether it is the same as before. */
      key(): Promise<Digest>;
      readonly alias?: Digest;
      readonly createdBy: string;
      readonly make: Parameters<BuildRun['steps']['run']>[0]['make'];
    }
  | { readonly createdBy: string };

/** Where relative paths of a step begin. */
export function workingDirectory(draft: ImageDraft): string {
  return posix.resolve('/', draft.config.WorkingDir || '/');
}
