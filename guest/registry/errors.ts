import * as z from 'zod';
import { EngineError, Internal, InvalidParameter, NotFound } from '../errors.ts';
import { familiarName, familiarReference, officialDomain, type Reference } from '../reference.ts';

/** No answer, or half of one: worth another try. */
export class Unreachable extends Internal {}

/** A registry's answer that is an error. `code` is the distribution spec's, such as `MANIFEST_UNKNOWN`. */
export class Refused extends EngineError {
  readonly httpStatus = 500;
  readonly status: number;
  readonly code: string;
  /** The registry's own words. */
  readonly detail: string;
  constructor(status: number, code: string, detail: string) {
    // As Go's client of the distribution project prints it.
    super(`${code.toLowerCase().replaceAll('_', ' ')}: ${detail}`);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

const schema = z.looseObject({
  errors: z.array(z.looseObject({ code: z.string().nullish(), message: z.string().nullish() })).nullish(),
  /** Token services. */
  details: z.string().nullish(),
  message: z.string().nullish(),
});

/** @param body at most some KiB; shown only where it is the error document of the spec */
export function refusalOf(status: number, body: string): Refused {
  const { code, message } = stated(body);
  const [defaultCode, words] = defaults[status] ?? ['UNKNOWN', `unexpected status code ${status}`];
  return new Refused(status, code || defaultCode, printable(message || words));
}

const defaults: Readonly<Record<number, readonly [string, string]>> = {
  401: ['UNAUTHORIZED', 'authentication required'],
  403: ['DENIED', 'requested access to the resource is denied'],
  404: ['NOT_FOUND', 'not found'],
  429: ['TOOMANYREQUESTS', 'too many requests'],
};

function stated(body: string): { code?: string | undefined; message?: string | undefined } {
  try {
    const { errors, details, message } = schema.parse(JSON.parse(body));
    const first = errors?.[0];
    return { code: first?.code ?? undefined, message: first?.message ?? details ?? message ?? undefined };
  } catch {
    return {};
  }
}

/** Others' words end up on terminals. */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, 500);
}

/** What a search is called whose registry cannot be talked to (moby, registry/service_v1.go). */
export function searchError(error: unknown, domain: string): unknown {
  if (!(error instanceof Unreachable) || domain === officialDomain) return error;
  return new InvalidParameter(
    `invalid registry endpoint https://${domain}/: ${error.message}. One without TLS, or with a certificate of an authority that nobody knows, is for --insecure-registry ${domain}; the authority's certificate may be /etc/docker/certs.d/${domain}/ca.crt`,
    { cause: error },
  );
}

/** What a refused pull is called (moby, distribution/errors.go). Anything else comes back as it is. */
export function pullError(error: unknown, reference: Reference): unknown {
  if (!(error instanceof Refused)) return error;
  const says = (text: string) => new NotFound(`${text}: ${error.message}`, { cause: error });
  if (error.code === 'DENIED' || error.code === 'UNAUTHORIZED')
    return says(
      `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login'`,
    );
  if (error.code === 'MANIFEST_UNKNOWN')
    return says(`manifest for ${familiarReference(reference)} not found`);
  if (error.code === 'NAME_UNKNOWN') return says(`repository ${familiarName(reference)} not found`);
  if (error.status === 404)
    return new NotFound(
      `manifest for ${familiarReference(reference)} not found: manifest unknown: ${error.detail}`,
      { cause: error },
    );
  return error;
}
