import { posix } from 'node:path';
import type { IgnoreRules } from '../dockerfile/ignore.ts';
import type { CopyInstruction, StageInstruction } from '../dockerfile/instruction.ts';
import { suggestion } from '../dockerfile/parse-error.ts';
import type { Stage } from '../dockerfile/stages.ts';
import { splitWords } from '../dockerfile/words.ts';
import { mergeEnv } from '../solver/config-step.ts';
import { type GlobalArgs, StageScope } from '../solver/variables.ts';
import { attempt } from './attempt.ts';
import type { Report } from './rules.ts';
import { unsetVariables } from './unset-variables.ts';

/** What the rules know of an image below a stage. */
export interface BaseFacts {
  readonly env: readonly string[];
  readonly hasShell: boolean;
}

/** What a stage on top of this one takes over. */
export interface LintedStage extends BaseFacts {
  readonly declared: ReadonlySet<string>;
  readonly args: ReadonlyMap<string, string>;
  readonly hasWorkdir: boolean;
}

export interface StageLint {
  readonly globals: GlobalArgs;
  /** Names that an ARG may be meant to be. */
  readonly globalNames: readonly string[];
  readonly mark: string;
  /** Null when nothing is known of what the context leaves out. */
  readonly ignore: IgnoreRules | null;
}

/** Rules of a stage's instructions. */
export function checkStage(
  { instructions }: Stage,
  base: LintedStage,
  { globals, globalNames, mark, ignore }: StageLint,
  report: Report,
): LintedStage {
  const scope = new StageScope(globals, { mark, env: base.env, args: base.args });
  const declared = new Set(base.declared);
  const before = new Map<string, StageInstruction>();
  let { hasShell, hasWorkdir } = base;
  for (const instruction of instructions) {
    const { kind, range, keyword } = instruction;
    for (const name of unsetVariables(instruction, scope)) {
      if (declared.has(name)) continue;
      const hint = suggestion(name, [...globalNames, ...scope.names()]);
      report(
        'UndefinedVar',
        range,
        `Usage of undefined variable '$${name}'${hint.replace('(did you mean ', '(did you mean $')}`,
      );
    }
    if (kind === 'arg')
      for (const { name } of instruction.args) {
        declared.add(name);
        checkSecret(instruction, name, report);
      }
    if (kind === 'env') for (const [name] of instruction.pairs) checkSecret(instruction, name, report);
    if ((kind === 'env' || kind === 'label') && isLegacy(instruction, mark))
      report(
        'LegacyKeyValueFormat',
        range,
        `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`,
      );
    if (kind === 'workdir') {
      if (
        !hasWorkdir &&
        !posix.isAbsolute(instruction.value.replace(/^["']/, '')) &&
        !startsWithVariable(instruction.value)
      )
        report(
          'WorkdirRelativePath',
          range,
          `Relative workdir ${JSON.stringify(instruction.value)} can have unexpected results if the base image changes`,
        );
      hasWorkdir = true;
    }
    if (kind === 'cmd' || kind === 'entrypoint' || kind === 'healthcheck') {
      const first = before.get(kind);
      if (first)
        report(
          'MultipleInstructionsDisallowed',
          first.range,
          `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`,
        );
      before.set(kind, instruction);
      if (kind !== 'healthcheck' && instruction.command.shell && !hasShell)
        report(
          'JSONArgsRecommended',
          range,
          `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`,
        );
    }
    if (kind === 'shell') hasShell = true;
    if ((kind === 'copy' || kind === 'add') && instruction.from === null && ignore)
      checkIgnored(instruction, scope, ignore, report);
    learn(instruction, scope);
  }
  return { env: scope.env, args: scope.args, declared, hasShell, hasWorkdir };
}

/** What does not expand is not known to the rules. */
function learn(instruction: StageInstruction, scope: StageScope): void {
  attempt(() => {
    if (instruction.kind === 'arg') scope.declare(instruction);
    if (instruction.kind === 'env')
      scope.env = mergeEnv(
        scope.env,
        instruction.pairs.map(([name, value]) => [name, scope.expand(value, instruction.range)]),
      );
  });
}

function startsWithVariable(path: string): boolean {
  return /^["']?\$/.test(path);
}

function isLegacy({ text }: StageInstruction, mark: string): boolean {
  return !splitWords(text, mark)[1]?.includes('=');
}

/** A whole name, or its first or last words. */
const secretWords = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;

function checkSecret({ range, keyword }: StageInstruction, name: string, report: Report): void {
  if (secretWords.test(name) && !/(?:_|^)public(?:_|$)/i.test(name))
    report(
      'SecretsUsedInArgOrEnv',
      range,
      `Do not use ARG or ENV instructions for sensitive data (${keyword} ${JSON.stringify(name)})`,
    );
}

function checkIgnored(
  { kind, sources, range }: CopyInstruction,
  scope: StageScope,
  ignore: IgnoreRules,
  report: Report,
): void {
  for (const source of sources) {
    if (source.startsWith('<<') || /^[a-z]+:\/\//.test(source)) continue;
    let path: string;
    try {
      path = posix.join(scope.expand(source, range));
    } catch {
      continue;
    }
    if (ignore.excludes(path.replace(/^\/+/, '')))
      report(
        'CopyIgnoredFile',
        range,
        `Attempting to ${kind === 'add' ? 'Add' : 'Copy'} file "${path}" that is excluded by .dockerignore`,
      );
  }
}
