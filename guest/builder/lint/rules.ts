import type { LineRange } from '../line-range.ts';

/** What every rule says of itself; its page has its name in small letters (buildkit, frontend/dockerfile/linter). */
export const rules = {
  StageNameCasing: 'Stage names should be lowercase',
  FromAsCasing: "The 'as' keyword should match the case of the 'from' keyword",
  NoEmptyContinuation: 'Empty continuation lines will become errors in a future release',
  ConsistentInstructionCasing:
    'All commands within the Dockerfile should use the same casing (either upper or lower)',
  DuplicateStageName: 'Stage names should be unique',
  ReservedStageName: 'Reserved words should not be used as stage names',
  JSONArgsRecommended:
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  MaintainerDeprecated:
    'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  UndefinedArgInFrom: 'FROM command must use declared ARGs',
  WorkdirRelativePath:
    'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  UndefinedVar: 'Variables should be defined before their use',
  MultipleInstructionsDisallowed:
    'Multiple instructions of the same type should not be used in the same stage',
  LegacyKeyValueFormat: 'Legacy key/value format with whitespace separator should not be used',
  RedundantTargetPlatform:
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  SecretsUsedInArgOrEnv: 'Sensitive data should not be used in the ARG or ENV commands',
  InvalidDefaultArgInFrom: 'Default value for global ARG results in an empty or invalid base image name',
  FromPlatformFlagConstDisallowed: 'FROM --platform flag should not use a constant value',
  InvalidBaseImagePlatform: 'Base image platform does not match expected target platform',
  CopyIgnoredFile: 'Attempting to Copy file that is excluded by .dockerignore',
} as const;

export type Rule = keyof typeof rules;

/** Something in a Dockerfile that works, and that its author may not have meant. */
export interface Finding {
  readonly rule: Rule;
  readonly detail: string;
  readonly range: LineRange;
}

export type Report = (rule: Rule, range: LineRange, detail: string) => void;

/** `JSONArgsRecommended`: `…/json-args-recommended/`. Empty for a rule without a page. */
export function ruleUrl(rule: Rule): string {
  if (rule === 'InvalidBaseImagePlatform') return '';
  const words = rule.match(/[A-Z]+(?![a-z])|[A-Z][a-z]+/g)!;
  return `https://docs.docker.com/go/dockerfile/rule/${words.join('-').toLowerCase()}/`;
}
