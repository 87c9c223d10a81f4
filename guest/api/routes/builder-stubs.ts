import type { Builder } from '../../builder/build.ts';
import { NotImplemented } from '../../errors.ts';
import type { Route } from '../handler.ts';

const builds = 'this engine does not build images yet; build elsewhere and use docker load';

/** Where Docker has an endpoint and this engine not yet: a sentence, not "page not found". */
const missing: readonly (readonly [Route['method'], string, string])[] = [['POST', '/build', builds]];

/** What answers BuildKit's clients until there is a builder: they can look around, not build. */
export const noBuilder: Builder = {
  build: () => Promise.reject(new NotImplemented(builds)),
  cache: { usage: () => Promise.resolve([]), prune: () => Promise.resolve([]) },
};

export function builderStubRoutes(): Route[] {
  return [
    ...missing.map(
      ([method, path, sentence]): Route => ({
        method,
        path,
        handle: () => Promise.reject(new NotImplemented(sentence)),
      }),
    ),
    // True: there is no build to cancel and no cache. `docker system prune` asks.
    { method: 'POST', path: '/build/cancel', handle: () => ({ status: 204 }) },
    {
      method: 'POST',
      path: '/build/prune',
      handle: () => ({ json: { CachesDeleted: null, SpaceReclaimed: 0 } }),
    },
  ];
}
