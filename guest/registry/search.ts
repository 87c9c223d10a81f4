import * as z from 'zod';
import { InvalidParameter, NotFound } from '../errors.ts';
import { officialDomain } from '../reference.ts';
import { InvalidDocument } from './documents.ts';
import { Refused } from './errors.ts';
import { readLimited } from './read-limited.ts';
import type { RegistrySession } from './session.ts';

/** One hit of `docker search`, as the registry and the Engine API both write it. */
export interface FoundRepository {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

const answer = z.looseObject({
  results: z
    .array(
      z.looseObject({
        name: z.string(),
        description: z.string().nullish(),
        star_count: z.number().nullish(),
        is_official: z.boolean().nullish(),
        is_automated: z.boolean().nullish(),
      }),
    )
    .max(1000),
});

const maxBytes = 4 * 1024 * 1024;

/** `localhost:5000/word` asks that registry; a word alone the official one. */
export function splitTerm(term: string): { readonly domain: string; readonly word: string } {
  if (term.includes('://'))
    throw new InvalidParameter(`invalid repository name: repository name (${term}) should not have a scheme`);
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost';
  const domain = isDomain && first !== `index.${officialDomain}` ? first : officialDomain;
  const word = isDomain ? term.slice(slash + 1) : term;
  return { domain, word: domain === officialDomain ? word.replace(/^library\//, '') : word };
}

/** By the search of the registries' first protocol, which the second never got. Throws NotFound without one. */
export async function searchRegistry(
  session: RegistrySession,
  { word, limit, signal }: { readonly word: string; readonly limit: number; readonly signal: AbortSignal },
): Promise<FoundRepository[]> {
  const query = new URLSearchParams({ q: word, n: String(limit) });
  const response = await session
    .request({ method: 'GET', at: `/v1/search?${query}`, scopes: [], expects: [200], signal })
    .catch((error: unknown) => {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      const { host } = new URL(session.endpoint.base);
      throw new NotFound(`registry "${host}" offers no search: unexpected status code 404`, { cause: error });
    });
  const bytes = await readLimited(response.body, maxBytes, 'the answer to the search');
  try {
    return answer.parse(JSON.parse(bytes.toString())).results.map((found) => ({
      name: found.name,
      description: found.description ?? '',
      star_count: found.star_count ?? 0,
      is_official: found.is_official ?? false,
      is_automated: found.is_automated ?? false,
    }));
  } catch (cause) {
    throw new InvalidDocument('the registry gave no answer to the search', { cause });
  }
}
