import type { Route } from '../handler.ts';

const headers = {
  // 1: the classic builder; BuildKit's doors (/session, /grpc) are not there.
  'Builder-Version': '1',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
  Swarm: 'inactive',
};

/** The first thing every client sends. Needs nothing else of the engine. */
export function pingRoutes(): Route[] {
  return (['GET', 'HEAD'] as const).map((method) => ({
    method,
    path: '/_ping',
    handle: () => ({ text: method === 'GET' ? 'OK' : '', headers }),
  }));
}
