import { type Platform, parsePlatform } from '../../images/platform.ts';
import { parseReference } from '../../reference.ts';
import { expandWord } from '../dockerfile/expand.ts';
import type { FromInstruction } from '../dockerfile/instruction.ts';
import { suggestion } from '../dockerfile/parse-error.ts';
import type { Dockerfile } from '../dockerfile/stages.ts';
import { GlobalArgs, platformArgs } from '../solver/variables.ts';
import { attempt } from './attempt.ts';
import type { Report } from './rules.ts';

export interface FromContext {
  readonly globals: GlobalArgs;
  readonly platform: Platform;
  readonly target: string | undefined;
}

/** Rules of FROM lines: the names of stages, and what their variables are. */
export function checkFroms(dockerfile: Dockerfile, context: FromContext, report: Report): void {
  const { stages, globalArgs, directives } = dockerfile;
  const names = new Set<string>();
  for (const { from } of stages) {
    const { name, range } = from;
    if (name === null) continue;
    if (name === 'context' || name === 'scratch')
      report(
        'ReservedStageName',
        range,
        `Stage name should not use the same name as reserved stage "${name}"`,
      );
    if (names.has(name))
      report('DuplicateStageName', range, `Duplicate stage name "${name}", stage names should be unique`);
    names.add(name);
  }
  const mark = directives.escape;
  const platform = platformArgs(context.platform, context.target ?? 'default');
  const known = [...platform.keys(), ...globalArgs.flatMap(({ args }) => args.map(({ name }) => name))];
  const defaults = attempt(() => new GlobalArgs(globalArgs, { given: {}, platform, mark }));
  for (const { from } of stages) {
    const name = defaults && attempt(() => defaults.expand(from.base, from.range));
    if (name !== null && !isImageName(name))
      report(
        'InvalidDefaultArgInFrom',
        from.range,
        `Default value for ARG ${from.base} results in empty or invalid base image name`,
      );
    checkVariables(from, { mark, known, globals: context.globals }, report);
  }
}

function checkVariables(
  from: FromInstruction,
  { mark, known, globals }: { mark: string; known: readonly string[]; globals: GlobalArgs },
  report: Report,
): void {
  const { range, base, platform, name } = from;
  const variables = (word: string) => {
    const set = new Set<string>();
    const unset = new Set<string>();
    const lookup = (name: string) => {
      const value = globals.lookup(name);
      if (value !== undefined) set.add(name);
      return value;
    };
    const text = attempt(() => expandWord(word, { mark, lookup, onUnset: (name) => unset.add(name) }));
    for (const name of unset)
      report(
        'UndefinedArgInFrom',
        range,
        `FROM argument '${name}' is not declared${suggestion(name, known)}`,
      );
    return { text, set: [...set], unset };
  };
  variables(base);
  if (platform === null) return;
  const { text, set, unset } = variables(platform);
  if (unset.size > 0) return;
  if (set.length === 1 && set[0] === 'TARGETPLATFORM' && text === globals.lookup('TARGETPLATFORM'))
    report(
      'RedundantTargetPlatform',
      range,
      `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`,
    );
  const constant = set.length === 0 && text ? attempt(() => parsePlatform(text)) : null;
  // A stage that is named for its platform is meant so.
  if (constant && !name?.includes(constant.os) && !name?.includes(constant.architecture))
    report(
      'FromPlatformFlagConstDisallowed',
      range,
      `FROM --platform flag should not use constant value "${text}"`,
    );
}

function isImageName(text: string): boolean {
  return attempt(() => parseReference(text)) !== null;
}
