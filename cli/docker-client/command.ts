import type { EngineClient } from './engine-client.ts';
import type { Flag, ParsedFlags } from './flags.ts';
import type { Streams } from './terminal.ts';

/** One command of the built-in client. */
export interface DockerCommand {
  /** Behind the command's name: `[flags] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** From the first word on, everything belongs to the container. */
  readonly stopAtWord?: boolean;
  readonly words: { readonly atLeast: number; readonly atMost: number };
  /** Exit code of an error before the container's own counts: 125 where it would be mistaken for that. */
  readonly failure?: number;
  readonly run: (call: Call) => Promise<number>;
}

export interface Call {
  readonly flags: ParsedFlags;
  readonly engine: EngineClient;
  readonly streams: Streams;
}
