import { messageOf } from '../../error-message.ts';
import type { Image } from '../../images/image.ts';
import type { BuildEvent } from '../build.ts';
import { BuildError } from '../build-error.ts';

/** What `POST /build` tells of a build, in JSON lines. */
export interface BuildDisplay {
  readonly onProgress: (event: BuildEvent) => void;
  /** The build is over, well or not: tells what was held back. */
  flush(): void;
  built(result: Built): void;
  failed(error: unknown): void;
}

export interface Built {
  readonly image: Image;
  /** As people write them. */
  readonly names: readonly string[];
  /** `--build-arg`s that no ARG took. */
  readonly unusedArgs: readonly string[];
}

export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\r\n`;
}

/** The last line of a build that failed. */
export function failureLine(error: unknown): string {
  const message = error instanceof BuildError ? error.message : messageOf(error);
  return jsonLine({ errorDetail: { message }, error: message });
}
