import { isAbsolute } from 'node:path';
import { NotImplemented } from '../../errors.ts';
import { programPath } from '../../host/program-path.ts';

/** Where `--init` shows it in the container, as with dockerd. */
export const initDestination = '/sbin/docker-init';

/** Statically linked, since it runs in any image: Debian's tini package has the second. */
const names = ['docker-init', 'tini-static'];

/** The file that `--init` makes a container's first process. Throws NotImplemented, saying what to install. */
export function findInit(find: (name: string) => string = programPath): string {
  const found = names.map((name) => find(name)).find((path) => isAbsolute(path));
  if (found) return found;
  throw new NotImplemented(
    `--init needs the program ${names[1]}, which this host has not; install it (Debian: apt-get install tini)`,
  );
}
