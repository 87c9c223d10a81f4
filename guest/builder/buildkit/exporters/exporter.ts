import type { BuildEvent, BuildResult } from '../../build.ts';
import type { Session } from '../session/sessions.ts';

/** What is done with a result: `--output type=…`. Throws GrpcError and EngineError. */
export type Exporter = (result: BuildResult, context: ExportContext) => Promise<ExportAnswer>;

/** For the client's metadata file: `containerimage.digest` and the like. */
export type ExportAnswer = Readonly<Record<string, string>>;

export interface ExportContext {
  readonly attrs: ReadonlyMap<string, string>;
  /** The exporter's number among those of the build: by it the client knows where its output goes. */
  readonly number: number;
  session(): Promise<Session>;
  readonly publish: (event: BuildEvent) => void;
  readonly signal: AbortSignal;
}
