import { digestOf } from '../../digest.ts';
import { defaultPath } from '../../runtime/spec/paths.ts';
import type { StageInstruction } from '../dockerfile/instruction.ts';
import { parseTrigger } from '../dockerfile/stages.ts';
import type { BuildRun } from './build-run.ts';
import { ImageDraft } from './image-draft.ts';
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
      inherited.push(...(image.config.config?.OnBuild ?? []));
    } else if (base.kind !== 'stage') {
      this.#base = build.emptyDraft(planned.platform);
      // As elsewhere: what starts from nothing has this.
      if (base.kind === 'scratch') this.#base.config.Env = [defaultPath];
    }
    const triggers = inherited.map((trigger) => parseTrigger(trigger, build.mark, stage.from.range));
    build.triggers.push(...triggers);
    const instructions = [...triggers, ...stage.instructions];
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
    const { args, config } = draft;
    const scope = new StageScope(build.globals, { mark: build.mark, env: config.Env ?? [], args });
    const commands = { cmdSet: false };
    for (const step of this.#steps) {
      build.supply.signal.throwIfAborted();
      await this.#step(step, scope, draft, commands);
    }
    draft.args = scope.args;
    return draft;
  }

  async #step(
    step: Step,
    scope: StageScope,
    draft: ImageDraft,
    commands: { cmdSet: boolean },
  ): Promise<void> {
    const { instruction, number, vertex } = step;
    const { build, planned: stage } = this.#options;
    this.#tell(number, instruction.text, 'started', vertex);
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
    this.#tell(number, instruction.text, 'completed', vertex, { draft, cached });
  }

  #context({ instruction, number }: Step, vertex: Vertex, context: ConfigContext): StepContext {
    const { build, stageResult } = this.#options;
    return {
      ...context,
      ...{ vertex, stageResult },
      onContainer: (containerId) =>
        build.supply.onProgress({
          ...{ kind: 'instruction', step: number, total: this.#total, text: instruction.text },
          ...{ vertex: vertex.digest, state: 'running', containerId },
        }),
    };
  }

  /** FROM a context of `--build-context`: its files are the base. */
  async #contextBase(name: string, draft: ImageDraft): Promise<void> {
    const { build, planned: stage } = this.#options;
    const scope = new StageScope(build.globals, { mark: build.mark, env: [] });
    const vertex = this.#fromVertex!;
    const step = { instruction: contextCopy(stage.stage.from, name), number: this.#fromNumber, vertex };
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
      ...(done && { imageId: () => digestOf(done.draft.toConfig().bytes), cached: done.cached }),
    });
  }
}
