import type { BuildEvent, BuildResult } from '../../build.ts';
import { codes, GrpcError } from '../grpc/status.ts';
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

/**
 * What each kind of output takes. `moby` is what the engine has loaded when it is done, and is told of a push that
 * buildx then does by itself, by the image API.
 */
const taken: Readonly<Record<string, readonly string[]>> = {
  moby: ['name', 'load', 'push'],
  image: ['name'],
};

/** Throws GrpcError for what would be ignored. */
export function checkAttributes(type: string, attrs: ReadonlyMap<string, string>): void {
  for (const [name, value] of attrs)
    if (!taken[type]?.includes(name) && value !== 'false')
      throw new GrpcError(
        codes.unimplemented,
        `this engine does not support --output type=${type},${name}=${value}; leave ${name} out`,
      );
}
