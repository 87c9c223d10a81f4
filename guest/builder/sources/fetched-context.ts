import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { newId } from '../../ids.ts';
import type { ContextSource, ContextWish, OpenContext } from '../build.ts';
import { BuildError } from '../build-error.ts';
import { cloneGit } from './git-tree.ts';
import { httpGet } from './http-get.ts';
import type { Proxies } from './proxies.ts';

/** A context of `--build-context` that the engine gets itself, when the first step needs it. */
export class FetchedContext implements ContextSource {
  readonly #url: string;
  readonly #kind: 'git' | 'http';
  readonly #options: { readonly builds: string; readonly proxies: Proxies };

  /** @param options `builds`: where it is put while it is open */
  constructor(
    url: string,
    kind: 'git' | 'http',
    options: { readonly builds: string; readonly proxies: Proxies },
  ) {
    this.#url = url;
    this.#kind = kind;
    this.#options = options;
  }

  /** What is to be ignored is not looked for: nothing is transferred from the client. */
  read(): Promise<null> {
    return Promise.resolve(null);
  }

  async open({ signal }: ContextWish): Promise<OpenContext> {
    const { builds, proxies } = this.#options;
    const directory = join(builds, newId());
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const remove = () => rmSync(directory, { recursive: true, force: true });
    try {
      const place =
        this.#kind === 'git'
          ? await cloneGit(this.#url, { directory, signal, keepGitDir: false, proxies })
          : await this.#download(directory, signal);
      return { directory: place, [Symbol.asyncDispose]: async () => remove() };
    } catch (error) {
      remove();
      throw error;
    }
  }

  /** The file of a URL, by the name that BuildKit gives it: `context`. It is not unpacked. */
  async #download(directory: string, signal: AbortSignal): Promise<string> {
    const response = await httpGet(this.#url, { proxies: this.#options.proxies, signal });
    if (response.status !== 200) {
      response.body.destroy();
      throw new BuildError(`invalid response status ${response.status} for ${this.#url}`);
    }
    await pipeline(response.body, createWriteStream(join(directory, 'context'), { mode: 0o600 }), { signal });
    return directory;
  }
}
