import type { Route } from './handler.ts';

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

export interface Router {
  /** `path` is decoded and has no version prefix. Null when nothing answers there. */
  match(method: string, path: string): Match | null;
}

/** Throws when two routes have the same method and path: that is a mistake in the composition. */
export function createRouter(routes: readonly Route[]): Router {
  const literal = new Map<string, Route>();
  const patterns: { route: Route; pattern: RegExp }[] = [];
  const seen = new Set<string>();
  for (const route of routes) {
    const key = `${route.method} ${route.path}`;
    if (seen.has(key)) throw new Error(`two routes for ${key}`);
    seen.add(key);
    if (/[:*]/.test(route.path)) patterns.push({ route, pattern: compile(route.path) });
    else literal.set(key, route);
  }
  return {
    match(method, path) {
      const exact = literal.get(`${method} ${path}`);
      if (exact) return { route: exact, params: {} };
      for (const { route, pattern } of patterns) {
        if (route.method !== method) continue;
        const found = pattern.exec(path);
        if (found) return { route, params: { ...found.groups } };
      }
      return null;
    },
  };
}

/** `:id` is one segment, `**name` is one or more. */
function compile(path: string): RegExp {
  const source = path
    .split('/')
    .map((segment) => {
      if (segment.startsWith('**')) return `(?<${segment.slice(2)}>.+)`;
      if (segment.startsWith(':')) return `(?<${segment.slice(1)}>[^/]+)`;
      return segment.replace(/[.+?^$()[\]{}|\\]/g, '\\$&');
    })
    .join('/');
  return new RegExp(`^${source}$`, 's');
}
