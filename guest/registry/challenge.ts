/** What a registry wants to see (RFC 9110, section 11.6.1; distribution spec, "token"). */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string };

/** Understands the first challenge of a kind that is known; null when there is none. Bearer goes first. */
export function parseChallenge(header: string | undefined): Challenge | null {
  const challenges = [...challengesIn(header ?? '')];
  const bearer = challenges.find(({ scheme, params }) => scheme === 'bearer' && params.realm);
  if (bearer) {
    const { realm, service, scope } = bearer.params;
    return { scheme: 'bearer', realm: realm!, ...(service && { service }), ...(scope && { scope }) };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : null;
}

/** `name=token`, `name="quoted"`, or a bare word, which begins a challenge. */
const part = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g;

function* challengesIn(header: string): Generator<{ scheme: string; params: Record<string, string> }> {
  let current: { scheme: string; params: Record<string, string> } | null = null;
  // Real ones have some hundred bytes.
  for (const [, name, quoted, plain] of header.slice(0, 8192).matchAll(part)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) {
      if (current) yield current;
      current = { scheme: name!.toLowerCase(), params: Object.create(null) };
    } else if (current) current.params[name!.toLowerCase()] = value;
  }
  if (current) yield current;
}
