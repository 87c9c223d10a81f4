import { posix } from 'node:path';
import { type Digest, digestOf } from '../../digest.ts';
import { EngineError } from '../../errors.ts';
import { BuildError, RunFailed } from '../build-error.ts';
import type { CopyInstruction, StageInstruction } from '../dockerfile/instruction.ts';
import { parseTrigger } from '../dockerfile/stages.ts';
import type { BuildRun } from './build-run.ts';
import { configStep } from './config-step.ts';
import { copyLayer } from './copy-layer.ts';
import { ImageDraft } from './image-draft.ts';
import type { PlannedStage } from './plan.ts';
import type { Vertex } from './progress.ts';
import { runLayer } from './run-layer.ts';
import { StageScope } from './variables.ts';
import { workdirLayer } from './workdir-layer.ts';

/** One instruction of a stage, numbered for both kinds of display. */
interface Step {
  readonly instruction: StageInstruction;
  readonly number: number;
  readonly vertex: Vertex | null;
}

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

export interface StageOptions {
  readonly build: BuildRun;
  readonly planned: PlannedStage;
  stageResult(index: number): Promise<ImageDraft>;
  stageVertex(index: number): Vertex | null;
}

/** Builds one stage: its instructions one after the other, on its base. */
export class StageBuild {
  readonly #options: StageOptions;
  readonly #steps: Step[] = [];
  #base: ImageDraft | null = null;
  #fromVertex: Vertex | null = null;
  #fromNumber = 0;
  #total = 0;
  /** Of this stage, taken up by a stage on top of it. */
  readonly triggers: string[] = [];

  constructor(options: StageOptions) {
    this.#options = options;
  }

  get lastVertex(): Vertex | null {
    return this.#steps.findLast(({ vertex }) => vertex)?.vertex ?? this.#fromVertex;
  }

  /**
   * Finds the base image and what it triggers, and announces every step.
   *
   * @param triggers of the stage that this one is on top of
   * @param first number of this stage's FROM; returns that of what follows the stage
   */
  async prepare(triggers: readonly string[], first: number, isOnly: boolean): Promise<number> {
    const { build, planned, stageVertex } = this.#options;
    const { stage, base } = planned;
    const inherited = [...triggers];
    if (base.kind === 'image') {
      const image = await build.image(base.reference, planned.platform).catch((error: unknown) => {
        throw withLine(error, stage.from);
      });
      this.#base = new ImageDraft(planned.platform, image.createdAt, image);
      this.#base.key = image.id;
      inherited.push(...(image.config.config?.OnBuild ?? []));
    } else if (base.kind !== 'stage') this.#base = build.emptyDraft(planned.platform);
    const instructions = [
      ...inherited.map((trigger) => parseTrigger(trigger, build.mark, stage.from.range)),
      ...stage.instructions,
    ];
    for (const instruction of stage.instructions)
      if (instruction.kind === 'onbuild') this.triggers.push(instruction.trigger);
    const shown = 1 + instructions.filter(isShown).length;
    const width = String(shown).length;
    const label = (index: number) =>
      `[${isOnly && stage.from.name === null ? '' : `${planned.name} `}${String(index).padStart(width)}/${shown}]`;
    let inputs: Vertex[] = [];
    if (base.kind === 'stage') {
      const above = stageVertex(base.index);
      if (above) inputs = [above];
    } else {
      this.#fromVertex = build.vertex(
        `${label(1)} ${fromText(planned)}`,
        ['from', this.#base?.key, fromText(planned)],
        [],
      );
      inputs = [this.#fromVertex];
    }
    this.#fromNumber = first;
    let index = 1;
    for (const [i, instruction] of instructions.entries()) {
      const vertex = isShown(instruction)
        ? build.vertex(
            `${label(++index)} ${instruction.text}`,
            [
              instruction.text,
              instruction.kind === 'run' ? instruction.heredocs : [],
              build.request.buildArgs,
            ],
            inputs,
          )
        : null;
      if (vertex) inputs = [vertex];
      this.#steps.push({ instruction, number: first + 1 + i, vertex });
    }
    return first + 1 + instructions.length;
  }

  async run(total: number): Promise<ImageDraft> {
    this.#total = total;
    const { build, planned, stageResult } = this.#options;
    const { stage, base } = planned;
    this.#tell(this.#fromNumber, stage.from.text, 'started', null);
    const draft = base.kind === 'stage' ? (await stageResult(base.index)).copy() : this.#base!;
    if (base.kind === 'context') await this.#contextBase(base.name, draft);
    this.#fromVertex?.complete({ cached: true });
    this.#tell(this.#fromNumber, stage.from.text, 'completed', null, { draft, cached: false });
    // Triggers have been taken up.
    draft.config.OnBuild = null;
    const scope = new StageScope(build.globals, { mark: build.mark, env: draft.config.Env ?? [] });
    const commands = { cmdSet: false };
    for (const step of this.#steps) {
      build.supply.signal.throwIfAborted();
      await this.#step(step, draft, scope, commands);
    }
    return draft;
  }

  async #step(
    step: Step,
    draft: ImageDraft,
    scope: StageScope,
    commands: { cmdSet: boolean },
  ): Promise<void> {
    const { instruction, number, vertex } = step;
    this.#tell(number, instruction.text, 'started', vertex);
    let cached: boolean;
    try {
      cached = vertex
        ? await vertex.run(async () => {
            const value = await this.#layerStep(step, vertex, draft, scope, commands);
            return { cached: value, value };
          })
        : this.#configStep(instruction, draft, scope, commands);
    } catch (error) {
      throw withLine(error, instruction);
    }
    this.#tell(number, instruction.text, 'completed', vertex, { draft, cached });
  }

  #configStep(
    instruction: StageInstruction,
    draft: ImageDraft,
    scope: StageScope,
    commands: { cmdSet: boolean },
  ): boolean {
    const createdBy = configStep(instruction, draft, scope, commands)!;
    return this.#keepConfig(draft, createdBy, scope);
  }

  /** A step that makes no layer: it is remembered for the time of its making. */
  #keepConfig(draft: ImageDraft, createdBy: string, scope: StageScope): boolean {
    const { build, planned } = this.#options;
    const key = digestOf(JSON.stringify(['config', draft.key, createdBy, [...scope.args], build.epoch]));
    const kept = build.isFresh(planned.name) ? undefined : build.steps.find(key, draft.chainId);
    const createdAt = kept?.createdAt ?? build.epoch ?? new Date();
    if (!kept)
      build.steps.keep(
        { key, parent: draft.key, type: 'internal', description: createdBy },
        { layer: null, createdAt, cached: false },
      );
    draft.add({ key, layer: null, createdAt, createdBy });
    return kept !== undefined;
  }

  async #layerStep(
    { instruction, number }: Step,
    vertex: Vertex,
    draft: ImageDraft,
    scope: StageScope,
    commands: { cmdSet: boolean },
  ): Promise<boolean> {
    const { build, planned, stageResult } = this.#options;
    const context: StepContext = {
      build,
      stage: planned,
      draft,
      scope,
      vertex,
      isFresh: build.isFresh(planned.name),
      onContainer: (containerId) =>
        build.supply.onProgress({
          kind: 'instruction',
          step: number,
          total: this.#total,
          text: instruction.text,
          vertex: vertex.digest,
          state: 'running',
          containerId,
        }),
      stageResult,
    };
    configStep(instruction, draft, scope, commands);
    const wish =
      instruction.kind === 'run'
        ? await runLayer(instruction, context)
        : instruction.kind === 'workdir'
          ? workdirLayer(instruction, context)
          : await copyLayer(instruction as CopyInstruction, context);
    if (!('make' in wish)) return this.#keepConfig(draft, wish.createdBy, scope);
    const alias = context.isFresh ? undefined : wish.alias;
    const result =
      (alias && build.steps.findAlias(alias, draft.chainId)) ??
      (await build.steps.run({
        key: await wish.key(),
        ...(alias && { alias }),
        parent: draft.key,
        parentChain: draft.chainId,
        type: 'regular',
        description: vertex.name,
        fresh: context.isFresh,
        make: wish.make,
      }));
    draft.add({ ...result, createdBy: wish.createdBy });
    return result.cached;
  }

  /** FROM a context of `--build-context`: its files are the base. */
  async #contextBase(name: string, draft: ImageDraft): Promise<void> {
    const { build, planned } = this.#options;
    const scope = new StageScope(build.globals, { mark: build.mark, env: [] });
    const { from } = planned.stage;
    const copy: CopyInstruction = {
      ...from,
      kind: 'copy',
      sources: ['.'],
      heredocs: [],
      destination: '/',
      from: name,
      chown: null,
      chmod: null,
      link: false,
      parents: false,
      excludes: [],
      checksum: null,
      keepGitDir: false,
      unpack: null,
    };
    const vertex = this.#fromVertex!;
    const step = { instruction: copy, number: this.#fromNumber, vertex };
    await this.#layerStep(step, vertex, draft, scope, { cmdSet: false });
  }

  #tell(
    step: number,
    text: string,
    state: 'started' | 'completed',
    vertex: Vertex | null,
    done?: { readonly draft: ImageDraft; readonly cached: boolean },
  ): void {
    this.#options.build.supply.onProgress({
      kind: 'instruction',
      step,
      total: this.#total,
      text,
      vertex: vertex?.digest ?? null,
      state,
      ...(done && { imageId: digestOf(done.draft.toConfig().bytes), cached: done.cached }),
    });
  }
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

function isShown({ kind }: StageInstruction): boolean {
  return kind === 'run' || kind === 'copy' || kind === 'add' || kind === 'workdir';
}

function fromText({ base, stage }: PlannedStage): string {
  if (base.kind === 'image') return `FROM ${base.reference}`;
  return base.kind === 'scratch' ? 'FROM scratch' : stage.from.text;
}

/** What a step says is wrong gets the lines of its instruction. */
function withLine(error: unknown, { range }: Pick<StageInstruction, 'range'>): unknown {
  if (!(error instanceof EngineError)) return error;
  if (error instanceof BuildError && error.range) return error;
  if (error instanceof RunFailed) return error;
  return new BuildError(error.message, { cause: error, range });
}

/** Where relative paths of a step begin. */
export function workingDirectory(draft: ImageDraft): string {
  return posix.resolve('/', draft.config.WorkingDir || '/');
}
