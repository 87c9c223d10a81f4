import type { LineRange } from '../line-range.ts';
import type { Heredoc } from './heredoc.ts';

/** The second stage: what a node says, typed, its variables not expanded yet. */
export interface Located {
  readonly keyword: string;
  /** As it stands in the Dockerfile, continuation lines joined. */
  readonly text: string;
  readonly range: LineRange;
}

/** JSON words are executed as they are; anything else is one text for the shell. */
export interface Command {
  readonly shell: boolean;
  readonly words: readonly string[];
}

export type Pair = readonly [name: string, value: string];

export interface FromInstruction extends Located {
  readonly kind: 'from';
  readonly base: string;
  /** Lower case; null for a stage without a name. */
  readonly name: string | null;
  readonly platform: string | null;
}

export interface ArgInstruction extends Located {
  readonly kind: 'arg';
  readonly args: readonly { readonly name: string; readonly value: string | null }[];
}

export interface RunInstruction extends Located {
  readonly kind: 'run';
  readonly command: Command;
  readonly heredocs: readonly Heredoc[];
  /** Values of `--mount`. */
  readonly mounts: readonly string[];
  readonly network: string | null;
  readonly security: string | null;
}

export interface CopyInstruction extends Located {
  readonly kind: 'copy' | 'add';
  readonly sources: readonly string[];
  /** Those given in the Dockerfile; a source that is one names it. */
  readonly heredocs: readonly Heredoc[];
  readonly destination: string;
  readonly from: string | null;
  readonly chown: string | null;
  readonly chmod: string | null;
  readonly link: boolean;
  readonly parents: boolean;
  readonly excludes: readonly string[];
  /** Of ADD. */
  readonly checksum: string | null;
  readonly keepGitDir: boolean;
  /** Of ADD: null = unpack local archives and nothing else. */
  readonly unpack: boolean | null;
}

export interface HealthcheckInstruction extends Located {
  readonly kind: 'healthcheck';
  /** As the image configuration has it. */
  readonly healthcheck: Readonly<Record<string, unknown>>;
}

export type Instruction =
  | FromInstruction
  | ArgInstruction
  | RunInstruction
  | CopyInstruction
  | HealthcheckInstruction
  | (Located & { readonly kind: 'env' | 'label'; readonly pairs: readonly Pair[] })
  | (Located & { readonly kind: 'cmd' | 'entrypoint'; readonly command: Command })
  | (Located & { readonly kind: 'shell'; readonly words: readonly string[] })
  | (Located & { readonly kind: 'expose' | 'volume'; readonly words: readonly string[] })
  | (Located & { readonly kind: 'workdir' | 'user' | 'stopsignal' | 'maintainer'; readonly value: string })
  | (Located & { readonly kind: 'onbuild'; readonly trigger: string });

/** Any but FROM: what a stage is made of. */
export type StageInstruction = Exclude<Instruction, FromInstruction>;
