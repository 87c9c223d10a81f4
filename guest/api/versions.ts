import { InvalidParameter } from '../errors.ts';

/** What this engine speaks. Everything that depends on a client's version is decided in this file. */
export const apiMinor = 50;
export const apiVersion = `1.${apiMinor}`;
export const minApiVersion = '1.24';
/** The Docker release whose API this is; clients print it and some compare it. */
export const engineVersion = '28.2.2';

/** The first version that tells multiplexed streams from raw ones by content type. */
const multiplexedTypeMinor = 42;

export const rawStream = 'application/vnd.docker.raw-stream';
export const multiplexedStream = 'application/vnd.docker.multiplexed-stream';

/** The content type of an attached stream; older clients know one only. */
export function streamContentType(options: {
  readonly multiplexed: boolean;
  readonly apiMinor: number;
}): string {
  return options.multiplexed && options.apiMinor >= multiplexedTypeMinor ? multiplexedStream : rawStream;
}

export interface VersionedPath {
  readonly path: string;
  readonly apiMinor: number;
}

/**
 * Takes `/v1.NN` off a path and checks it; a path without one is of the newest version.
 * Throws InvalidParameter with moby's words, which clients show as they are.
 */
export function stripVersion(path: string): VersionedPath {
  const found = /^\/v([0-9.]+)(\/.*)$/s.exec(path);
  if (!found) return { path, apiMinor };
  const [, version, rest] = found as unknown as [string, string, string];
  if (compareVersions(version, minApiVersion) < 0) {
    throw new InvalidParameter(
      `client version ${version} is too old. Minimum supported API version is ${minApiVersion}, ` +
        'please upgrade your client to a newer version',
    );
  }
  if (compareVersions(version, apiVersion) > 0) {
    throw new InvalidParameter(
      `client version ${version} is too new. Maximum supported API version is ${apiVersion}`,
    );
  }
  return { path: rest, apiMinor: Number(version.split('.')[1]) };
}

/** By dotted numbers: negative when `a` is older. */
function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
