import t from 'tap';
import type { ContextWish } from '../../../../guest/builder/build.ts';
import { SharedContext } from '../../../../guest/builder/buildkit/shared-context.ts';

const wish: ContextWish = { ignore: [], paths: null, signal: new AbortController().signal };

t.test('a context comes once for several builds, and stays until all are done', async (t) => {
  let opened = 0;
  let closed = 0;
  {
    await using shared = new SharedContext({
      read: async (path) => Buffer.from(path),
      async open() {
        opened++;
        return { directory: '/there', [Symbol.asyncDispose]: async () => void closed++ };
      },
    });
    t.equal(String(await shared.read('a')), 'a');
    const both = await Promise.all([shared.open(wish), shared.open(wish)]);
    for (const one of both) await one[Symbol.asyncDispose]();
    t.match(both, [{ directory: '/there' }, { directory: '/there' }]);
    t.equal((await shared.open(wish)).directory, '/there', 'also for one that comes late');
    t.same([opened, closed], [1, 0]);
  }
  t.equal(closed, 1);
});

t.test('one that nobody opens, or that cannot be opened, has nothing to close', async (t) => {
  const fails = { read: async () => null, open: () => Promise.reject(new Error('gone')) };
  await new SharedContext(fails)[Symbol.asyncDispose]();
  const shared = new SharedContext(fails);
  await t.rejects(shared.open(wish), { message: 'gone' });
  await shared[Symbol.asyncDispose]();
});
