import type { ContextSource, ContextWish, OpenContext } from '../build.ts';

/**
 * One transfer for several builds of the same Dockerfile: the first that opens it says what is wanted, which is the
 * same for all. Kept open until this is disposed of.
 */
export class SharedContext implements ContextSource, AsyncDisposable {
  readonly #source: ContextSource;
  #opened: Promise<OpenContext> | null = null;

  constructor(source: ContextSource) {
    this.#source = source;
  }

  read(path: string): Promise<Buffer | null> {
    return this.#source.read(path);
  }

  async open(wish: ContextWish): Promise<OpenContext> {
    this.#opened ??= this.#source.open(wish);
    const opened = await this.#opened;
    return {
      directory: opened.directory,
      ...(opened.hashOf && { hashOf: (path: string) => opened.hashOf!(path) }),
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opened?.catch(() => null);
    await opened?.[Symbol.asyncDispose]();
  }
}
