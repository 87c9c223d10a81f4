import t from 'tap';
import { matchesSearch, searchFilters } from '../../../guest/api/routes/search-filters.ts';
import { splitTerm } from '../../../guest/registry/search.ts';

t.test('a search term may begin with the registry to ask', async (t) => {
  t.same(splitTerm('busybox'), { domain: 'docker.io', word: 'busybox' });
  t.same(splitTerm('library/busybox'), { domain: 'docker.io', word: 'busybox' });
  t.same(splitTerm('user/app'), { domain: 'docker.io', word: 'user/app' });
  t.same(splitTerm('localhost:5000/a/b'), { domain: 'localhost:5000', word: 'a/b' });
  t.throws(() => splitTerm('https://reg.test/a'), { message: /should not have a scheme/ });
});

t.test('hits are filtered by stars and by whose they are', async (t) => {
  const hit = { name: 'a', description: '', star_count: 5, is_official: true, is_automated: false };
  const matches = (filters: Record<string, string[]>) =>
    matchesSearch(hit, searchFilters(new Map(Object.entries(filters))));
  t.ok(matches({}));
  t.ok(matches({ stars: ['5'], 'is-official': ['true'], 'is-automated': ['false'] }));
  t.notOk(matches({ stars: ['3', '6'] }));
  t.notOk(matches({ 'is-official': ['0'] }));
  for (const wrong of [{ stars: ['x'] }, { 'is-official': ['maybe'] }, { colour: ['red'] }])
    t.throws(() => matches(wrong as unknown as Record<string, string[]>), { message: /^invalid filter '/ });
});
