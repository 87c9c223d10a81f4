import { join } from 'node:path';
import { newId } from '../../ids.ts';
import type { BuildEvent, DockerfileSource } from '../build.ts';
import { openRemote } from '../classic/remote-context.ts';
import { type DirectoryContext, unpackContext } from '../classic/tar-context.ts';
import type { Proxies } from '../sources/proxies.ts';
import type { Places } from './front-end-options.ts';
import type { Session } from './session/sessions.ts';
import { readUpload, uploadHost } from './session/upload.ts';
import { showVertex } from './vertex.ts';

/** A context that is a directory of ours, to be disposed of when it was built. */
export interface RemoteContext extends Disposable {
  readonly context: DirectoryContext;
  /** When the URL leads to nothing but a Dockerfile. */
  readonly dockerfile: DockerfileSource | null;
}

/**
 * Gets a context that is none of the client's directories: an archive from the client's stdin, a repository, or what
 * a URL leads to. Null when the context is a directory.
 */
export async function openRemoteContext(
  { remote, subdirectory }: Places,
  options: {
    readonly session: Session;
    readonly builds: string;
    readonly proxies: Proxies;
    readonly publish: (event: BuildEvent) => void;
    readonly signal: AbortSignal;
  },
): Promise<RemoteContext | null> {
  if (remote === undefined) return null;
  const { session, builds, proxies, publish, signal } = options;
  const directory = join(builds, newId());
  return showVertex('[internal] load remote build context', publish, async () => {
    const url = URL.canParse(remote) ? new URL(remote) : null;
    const opened =
      url?.host === uploadHost
        ? { context: await unpackContext(readUpload(session, url, signal), directory), dockerfile: null }
        : await openRemote(remote, directory, { signal, proxies });
    const { dockerfile, context: whole } = opened;
    try {
      const context = subdirectory ? whole.within(subdirectory) : whole;
      return { dockerfile, context, [Symbol.dispose]: () => whole[Symbol.dispose]() };
    } catch (error) {
      whole[Symbol.dispose]();
      throw error;
    }
  });
}
