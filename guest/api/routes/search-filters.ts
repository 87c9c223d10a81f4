import { InvalidParameter } from '../../errors.ts';
import type { FoundRepository } from '../../registry/search.ts';

export interface SearchFilters {
  readonly official?: boolean | undefined;
  readonly automated?: boolean | undefined;
  readonly stars: number;
}

/** `docker search --filter`. Throws InvalidParameter in dockerd's words. */
export function searchFilters(filters: ReadonlyMap<string, readonly string[]>): SearchFilters {
  for (const name of filters.keys())
    if (!['is-official', 'is-automated', 'stars'].includes(name))
      throw new InvalidParameter(`invalid filter '${name}'`);
  const stars = (filters.get('stars') ?? []).map((text) => {
    if (!/^\d{1,9}$/.test(text)) throw new InvalidParameter(`invalid filter 'stars=${text}'`);
    return Number(text);
  });
  return {
    official: flag(filters, 'is-official'),
    automated: flag(filters, 'is-automated'),
    stars: Math.max(0, ...stars),
  };
}

export function matchesSearch(
  found: FoundRepository,
  { official, automated, stars }: SearchFilters,
): boolean {
  return (
    (official === undefined || found.is_official === official) &&
    (automated === undefined || found.is_automated === automated) &&
    found.star_count >= stars
  );
}

function flag(filters: ReadonlyMap<string, readonly string[]>, name: string): boolean | undefined {
  const words = filters.get(name);
  if (!words || words.length === 0) return undefined;
  const [word] = words as [string];
  if (words.length > 1 || !/^(?:true|false|1|0)$/.test(word))
    throw new InvalidParameter(`invalid filter '${name}=[${words.join(' ')}]'`);
  return word === 'true' || word === '1';
}
