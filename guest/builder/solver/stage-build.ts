import { defaultPath } from '../../runtime/spec/paths.ts';
import type { InstructionEvent } from '../build.ts';
import type { StageInstruction } from '../dockerfile/instruction.ts';
import { parseTrigger } from '../dockerfile/stages.ts';
import type { BuildRun } from './build-run.ts';
import { ImageDraft } from './image-draft.ts';
import { labelInstructions } from './label-instructions.ts';
import type { PlannedStage } from './plan.ts';
import type { Vertex } from './progress.ts';
import type { StepContext } from './step-context.ts';
import { contextCopy, fromText, isFromShown, isShown, platformLabel, stepLabel } from './step-kinds.ts';
import { type ConfigContext, makeConfig, makeLayer } from './step-maker.ts';
import { StageScope } from './variables.ts';
import { withLine } from './with-line.ts';

/** One instruction of a stage, numbered for both kinds of display. */
interface Step {
  readonly instruction: StageInstruction;
  readonly number: number;
  readonly vertex: Vertex | null;
  /** By the base. */
  readonly triggered: boolean;
}

export interface StageOptions {
  readonly build: BuildRun;
  readonly planned: PlannedStage;
  stageResult(index: number): Promise<ImageDraft>;
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
  /** Names of ARGs, its base's included. */
  readonly declared = new Set<string>();

  constructor(options: StageOptions) {
    this.#options = options;
  }

  get lastVertex(): Vertex | null {
    return this.#steps.findLast(({ vertex }) => vertex)?.vertex ?? this.#fromVertex;
  }

  /**
   * Finds the base image and what it triggers, and announces every step.
   *
   * @param below the stage that this one is on top of
   * @param first number of this stage's FROM; returns that of what follows the stage
   */
  async prepare(below: StageBuild | null, first: number): Promise<number> {
    const { build, planned } = this.#options;
    const { stage, base } = planned;
    const inherited = [...(below?.triggers ?? [])];
    for (const name of below?.declared ?? []) this.declared.add(name);
    if (base.kind === 'image') {
      const image = await build.image(base, planned.platform).catch((error: unknown) => {
        throw withLine(error, stage.from);
      });
      this.#base = new ImageDraft(planned.platform, image.createdAt, image);
      this.#base.key = image.id;
      this.#base.imageId = image.id;
      inherited.push(...(image.config.config?.OnBuild ?? []));
    } else if (base.kind !== 'stage') {
      this.#base = build.emptyDraft(planned.platform);
      // As elsewhere: what starts from nothing has this.
      if (base.kind === 'scratch') this.#base.config.Env = [defaultPath];
    }
    const triggers = inherited.map((trigger) => parseTrigger(trigger, build.mark, stage.from.range));
    build.triggers.push(...triggers);
    const own = [...stage.instructions, ...this.#labels()];
    const instructions = [...triggers, ...own];
    for (const instruction of stage.instructions)
      if (instruction.kind === 'onbuild') this.triggers.push(instruction.trigger);
    const hasFrom = isFromShown(planned);
    const total = Number(hasFrom) + instructions.filter(isShown).length;
    let index = 0;
    const label = () => {
      const platform = build.request.saysPlatform ? this.#platform() : null;
      // The only stage is not named.
      const name = build.plan.stages.length === 1 ? null : planned.name;
      return stepLabel(name, { platform, index: ++index, total });
    };
    let inputs: Vertex[] = below?.lastVertex ? [below.lastVertex] : [];
    if (hasFrom) {
      const text = fromText(planned);
      this.#fromVertex = build.vertex(`${label()} ${text}`, ['from', this.#base?.key, text], []);
      inputs = [this.#fromVertex];
    }
    this.#fromNumber = first;
    for (const [i, instruction] of instructions.entries()) {
      if (instruction.kind === 'arg') for (const { name } of instruction.args) this.declared.add(name);
      const vertex = isShown(instruction)
        ? build.vertex(
            `${label()} ${instruction.text}`,
            [
              instruction.text,
              instruction.kind === 'run' ? instruction.heredocs : [],
              build.request.buildArgs,
              this.#platform(),
              this.#knowsTarget() ? build.platform : null,
            ],
            inputs,
          )
        : null;
      if (vertex) inputs = [vertex];
      const triggered = i < triggers.length;
      const number = triggered ? first : first + 1 + i - triggers.length;
      this.#steps.push({ instruction, number, vertex, triggered });
    }
    return first + 1 + own.length;
  }

  async run(total: number): Promise<ImageDraft> {
    this.#total = total;
    const { build, planned, stageResult } = this.#options;
    const { stage, base } = planned;
    const from = { number: this.#fromNumber, instruction: stage.from, vertex: null, triggered: false };
    const triggered = this.#steps.filter((step) => step.triggered);
    this.#tell(from, 'started', { triggers: triggered.length });
    const draft = base.kind === 'stage' ? (await stageResult(base.index)).copy() : this.#base!;
    if (base.kind === 'context') await this.#contextBase(base.name, draft);
    this.#fromVertex?.complete({ cached: true });
    // Triggers have been taken up.
    draft.config.OnBuild = null;
    const { args, config } = draft;
    const scope = new StageScope(build.globals, { mark: build.mark, env: config.Env ?? [], args });
    const commands = { cmdSet: false };
    for (const step of triggered) await this.#step(step, scope, draft, commands);
    const own = this.#steps.slice(triggered.length);
    this.#tell(from, 'completed', {
      ...{ imageId: draft.imageId, cached: false },
      ...(own.length === 0 && { endsStage: true }),
    });
    for (const step of own) await this.#step(step, scope, draft, commands);
    draft.args = scope.args;
    return draft;
  }

  async #step(
    step: Step,
    scope: StageScope,
    draft: ImageDraft,
    commands: { cmdSet: boolean },
  ): Promise<void> {
    const { instruction, vertex } = step;
    const { build, planned: stage } = this.#options;
    build.supply.signal.throwIfAborted();
    this.#tell(step, 'started');
    const context = { build, stage, draft, scope, isFresh: build.isFresh(stage.name) };
    let cached: boolean;
    try {
      cached = vertex
        ? await vertex.run(async () => {
            const value = await makeLayer(instruction, this.#context(step, vertex, context), commands);
            return { cached: value, value };
          })
        : makeConfig(instruction, context, commands);
    } catch (error) {
      throw withLine(error, instruction);
    }
    draft.imageId =
      build.supply.keepImage?.({
        ...{ parent: draft.imageId, change: draft.lastChange() },
        config: () => draft.toConfig().bytes,
      }) ?? null;
    const endsStage = step === this.#steps.at(-1) && !step.triggered;
    this.#tell(step, 'completed', { imageId: draft.imageId, cached, ...(endsStage && { endsStage }) });
  }

  /** Labels of the request, where they are instructions. */
  #labels(): readonly StageInstruction[] {
    const { build, planned } = this.#options;
    const isTarget = planned.stage.index === build.plan.target;
    return isTarget && build.supply.keepImage
      ? labelInstructions(build.request.labels, planned.stage.from.range, build.mark)
      : [];
  }

  #context(step: Step, vertex: Vertex, context: ConfigContext): StepContext {
    const { stageResult } = this.#options;
    return {
      ...context,
      ...{ vertex, stageResult },
      onContainer: (containerId) => this.#tell(step, 'running', { containerId }),
    };
  }

  /** FROM a context of `--build-context`: its files are the base. */
  async #contextBase(name: string, draft: ImageDraft): Promise<void> {
    const { build, planned: stage } = this.#options;
    const scope = new StageScope(build.globals, { mark: build.mark, env: [] });
    const vertex = this.#fromVertex!;
    const instruction = contextCopy(stage.stage.from, name);
    const step = { instruction, number: this.#fromNumber, vertex, triggered: false };
    const context = { build, stage, draft, scope, isFresh: build.isFresh(stage.name) };
    await makeLayer(step.instruction, this.#context(step, vertex, context), { cmdSet: false });
  }

  /** What steps from here on are for. */
  #platform(): string {
    const { build, planned } = this.#options;
    return platformLabel(planned.platform, build.platform, this.declared);
  }

  /** Whether what follows may differ by what the result is for. */
  #knowsTarget(): boolean {
    return [...this.declared].some((name) => name.startsWith('TARGET'));
  }

  #tell(
    {
      number,
      instruction,
      vertex,
      triggered,
    }: Pick<Step, 'number' | 'vertex' | 'triggered'> & {
      readonly instruction: { readonly text: string };
    },
    state: InstructionEvent['state'],
    more: Partial<InstructionEvent> = {},
  ): void {
    this.#options.build.supply.onProgress({
      kind: 'instruction',
      step: number,
      total: this.#total,
      text: instruction.text,
      vertex: vertex?.digest ?? null,
      state,
      ...(triggered && { triggered }),
      ...more,
    });
  }
}
