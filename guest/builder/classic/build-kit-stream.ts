import type { BuildEvent, DockerfileSource } from '../build.ts';
import { BuildError } from '../build-error.ts';
import { sentence } from '../buildkit/failure.ts';
import { toUpdate } from '../buildkit/progress.ts';
import { StatusResponse } from '../buildkit/wire/control.ts';
import { type BuildDisplay, type Built, failureLine, jsonLine } from './build-display.ts';

/**
 * Progress as BuildKit's messages in lines of JSON (`version=2`; moby, daemon/internal/builder-next/builder.go): each is
 * a `StatusResponse` in base64, the last one says the image.
 */
export class BuildKitStream implements BuildDisplay {
  readonly #write: (line: string) => void;
  readonly #dockerfile: DockerfileSource;

  /** @param write takes JSON lines */
  constructor(write: (line: string) => void, dockerfile: DockerfileSource) {
    this.#write = write;
    this.#dockerfile = dockerfile;
  }

  readonly onProgress = (event: BuildEvent): void => {
    const update = toUpdate(event, this.#dockerfile);
    if (update === null) return;
    const aux = StatusResponse.encode(update).toString('base64');
    this.#write(jsonLine({ id: 'moby.buildkit.trace', aux }));
  };

  flush(): void {}

  built({ image }: Built): void {
    this.#write(jsonLine({ id: 'moby.image.id', aux: { ID: image.id } }));
  }

  failed(error: unknown): void {
    this.#write(failureLine(error instanceof BuildError ? error : sentence(error)));
  }
}
