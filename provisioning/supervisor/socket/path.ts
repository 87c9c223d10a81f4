import { basename, join } from 'node:path';
import { shortDirectoryFor } from '../../../drivers/socket-path.ts';
import type { MachinePaths } from '../../paths.ts';

const name = 'docker.sock';

export interface ApiSocket {
  /** What is listened on: a unix socket, or a named pipe on Windows. */
  readonly path: string;
  /** The directory of the socket when the machine's own is too deep for one; else null. */
  readonly shortDirectory: string | null;
  /** The same as DOCKER_HOST. */
  readonly url: string;
}

/** Where a machine's Docker API is on this computer, whether it runs or not: always the same place. */
export function apiSocketOf(
  { directory }: Pick<MachinePaths, 'directory'>,
  platform: NodeJS.Platform = process.platform,
): ApiSocket {
  if (platform === 'win32') {
    const pipe = `machine-${basename(directory)}`;
    return { path: `\\\\.\\pipe\\${pipe}`, shortDirectory: null, url: `npipe:////./pipe/${pipe}` };
  }
  // Not the temporary directory of the environment, which differs from one terminal to the next.
  const shortDirectory = shortDirectoryFor(directory, [name], '/tmp');
  const path = join(shortDirectory ?? directory, name);
  return { path, shortDirectory, url: `unix://${path}` };
}
