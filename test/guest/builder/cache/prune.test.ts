import t from 'tap';
import type { BuildCacheRecord } from '../../../../guest/builder/build.ts';
import { CacheKeeper } from '../../../../guest/builder/cache/cache-keeper.ts';
import { checkFilters, ownBytes, prunable } from '../../../../guest/builder/cache/prune.ts';

function record(id: string, usedAt: number, more: Partial<BuildCacheRecord> = {}): BuildCacheRecord {
  return {
    ...{ id, parents: [], type: 'regular', description: id, inUse: false, shared: false, sizeBytes: 10 },
    ...{ createdAt: new Date(0), lastUsedAt: new Date(usedAt), usageCount: 1 },
    ...more,
  };
}

const none = { all: false, keepBytes: 0, filters: new Map() };
const ids = (records: readonly BuildCacheRecord[]) => records.map(({ id }) => id).join('');

t.test('what goes, and in which order', async (t) => {
  const records = [
    record('c', 3),
    record('a', 1),
    record('s', 0, { shared: true }),
    record('u', 0, { inUse: true }),
    record('b', 2),
  ];
  for (const [options, expected] of [
    [{}, 'abc'],
    [{ all: true }, 'sabc'],
    [{ keepBytes: 40 }, ''],
    [{ keepBytes: 39 }, 'a'],
    [{ keepBytes: 15 }, 'abc'],
    [{ keepBytes: 30, all: true }, 'sa'],
    [{ unusedSince: new Date(3) }, 'ab'],
    [{ filters: new Map([['id', ['b', 'c']]]) }, 'bc'],
    [
      {
        filters: new Map([
          ['inuse', ['false']],
          ['id', ['a']],
        ]),
      },
      'a',
    ],
    [{ filters: new Map([['private', ['true']]]) }, 'abc'],
  ] as const)
    t.equal(ids(prunable(records, { ...none, ...options })), expected, JSON.stringify(options));
  t.equal(ownBytes(records), 40, 'what an image has is not counted');
});

t.test('of steps used at once the order of the records stays', async (t) => {
  t.equal(ids(prunable([record('top', 1), record('below', 1)], none)), 'topbelow');
});

t.test('a filter that does not exist is refused by name', async (t) => {
  t.throws(() => checkFilters(new Map([['x', ['1']]])), {
    message: /^invalid filter 'x'; expected until, id,/,
  });
});

t.test(
  'a cache is looked at when the last of its builds has ended, and left alone while one runs',
  async (t) => {
    const asked: number[] = [];
    const keeper = new CacheKeeper({
      limitBytes: 7,
      delayMs: 20,
      onError: (error) => t.error(error),
      prune: async ({ keepBytes, all }) => {
        asked.push(keepBytes);
        t.equal(all, false);
        return [];
      },
    });
    const first = keeper.build();
    const second = keeper.build();
    first[Symbol.dispose]();
    await new Promise((resolve) => setTimeout(resolve, 60));
    t.same(asked, []);
    second[Symbol.dispose]();
    const third = keeper.build();
    await new Promise((resolve) => setTimeout(resolve, 60));
    t.same(asked, [], 'a build that begins puts it off');
    third[Symbol.dispose]();
    await new Promise((resolve) => setTimeout(resolve, 100));
    t.same(asked, [7]);
  },
);
