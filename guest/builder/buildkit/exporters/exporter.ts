import type { BuildEvent } from '../../build.ts';
import type { Built } from '../built.ts';
import type { Session } from '../session/sessions.ts';
import type { Attributes } from './attributes.ts';

/**
 * A kind of output: `--output type=…`. Reads what it is asked for before anything is built. Throws GrpcError for
 * attributes that it does not honour.
 */
export type ExporterType = (attributes: Attributes) => Exporter;

/** What is done with what was built. */
export interface Exporter {
  /** Why it cannot be done with several platforms; absent when it can. Asked before anything is built. */
  readonly refusesIndex?: string | undefined;
  /** Throws GrpcError and EngineError. */
  send(built: Built, context: ExportContext): Promise<ExportAnswer>;
}

/** For the client's metadata file: `containerimage.digest` and the like. */
export type ExportAnswer = Readonly<Record<string, string>>;

export interface ExportContext {
  /** The exporter's number among those of the build: by it the client knows where its output goes. */
  readonly number: number;
  session(): Promise<Session>;
  readonly publish: (event: BuildEvent) => void;
  readonly signal: AbortSignal;
}
