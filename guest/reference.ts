import { isDigest } from './digest.ts';
import { InvalidParameter } from './errors.ts';

/**
 * Image names as people type them and as the engine keeps them (grammar: distribution project,
 * "reference"; shorthand: Docker's own registry and its `library/` folder).
 */
export interface Reference {
  /** Registry, such as `docker.io` or `localhost:5000`. */
  readonly domain: string;
  /** Repository without the registry, such as `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  /** `sha256:...` in practice; any registered algorithm's digest in the grammar. */
  readonly digest?: string;
}

/** The domain of names that have none. */
export const officialDomain = 'docker.io';
/** Where its repositories are served. */
const officialHost = `registry-1.${officialDomain}`;
/** What it was called in names, and still is in clients' files. */
const formerDomain = `index.${officialDomain}`;

const pathComponent = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domainPattern = new RegExp(
  `^(?:${domainComponent}(?:\\.${domainComponent})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?$`,
);
const pathPattern = new RegExp(`^${pathComponent}(?:/${pathComponent})*$`);
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const bareId = /^[a-f0-9]{64}$/;

/** Throws InvalidParameter with the words that Docker's clients know. */
export function parseReference(text: string): Reference {
  if (bareId.test(text)) {
    throw new InvalidParameter(
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const { domain, rest } = splitDomain(text);
  const at = rest.indexOf('@');
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const named = at < 0 ? rest : rest.slice(0, at);
  const colon = named.indexOf(':');
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const path = colon < 0 ? named : named.slice(0, colon);
  if (path !== path.toLowerCase()) {
    throw new InvalidParameter(`invalid reference format: repository name (${path}) must be lowercase`);
  }
  const valid =
    domainPattern.test(domain) &&
    pathPattern.test(path) &&
    (tag === undefined || tagPattern.test(tag)) &&
    (digest === undefined || validDigest(digest));
  if (!valid) throw new InvalidParameter('invalid reference format');
  if (domain.length + 1 + path.length > 255) {
    throw new InvalidParameter('repository name must not be more than 255 characters');
  }
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** Gives a name without tag and digest the tag `latest`. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag !== undefined || reference.digest !== undefined
    ? reference
    : { ...reference, tag: 'latest' };
}

/** `docker.io/library/busybox:latest`: what the database keeps. */
export function formatReference(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/** `busybox:latest`: what people see. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

/** The repository as people see it, without tag and digest. */
export function familiarName({ domain, path }: Reference): string {
  if (domain !== officialDomain) return `${domain}/${path}`;
  return path.startsWith('library/') && path.lastIndexOf('/') === 'library'.length
    ? path.slice('library/'.length)
    : path;
}

/** The host (and port) that serves a domain's repositories. */
export function registryHostOf(domain: string): string {
  return domain === officialDomain ? officialHost : domain;
}

/** The domain that credentials and settings for a server mean: `host[:port]` or a URL, as clients send it. */
export function domainOfServer(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return ['', formerDomain, officialHost].includes(host) ? officialDomain : host;
}

function suffix({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  let domain = isDomain ? first : officialDomain;
  let rest = isDomain ? text.slice(slash + 1) : text;
  if (domain === formerDomain) domain = officialDomain;
  if (domain === officialDomain && !rest.includes('/')) rest = `library/${rest}`;
  return { domain, rest };
}

function validDigest(text: string): boolean {
  return text.startsWith('sha256:') ? isDigest(text) : digestPattern.test(text);
}
