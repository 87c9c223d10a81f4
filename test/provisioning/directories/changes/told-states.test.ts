import t from 'tap';
import { ToldStates } from '../../../../provisioning/directories/changes/told-states.ts';

const state = { mtimeMs: 1000, size: 1, mode: 0o644, ino: 1, uid: 1, gid: 1 };

t.test('each state of a path is told once', async (t) => {
  const told = new ToldStates();
  const isNews = (change: Partial<typeof state> = {}, isOther = false) =>
    told.isNews('/0/file', { ...state, ...change }, isOther);
  t.ok(isNews(), 'it was not known');
  t.notOk(isNews(), 'an echo');
  for (const change of [
    { mtimeMs: 1000.0005 },
    { size: 2 },
    { mode: 0o755 },
    { ino: 2 },
    { uid: 2 },
    { gid: 2 },
  ])
    t.ok(isNews(change), JSON.stringify(change));
  t.ok(isNews());
  t.ok(isNews({}, true), 'what is no echo for sure is news');
  told.forget('/0/file');
  t.ok(isNews(), 'what was gone is new');
});

t.test('who remembers only some takes for an echo what was not written just now', async (t) => {
  let now = 100_000;
  const told = new ToldStates({ max: 2, now: () => now });
  const isNews = (path: string, mtimeMs = 1000) => told.isNews(path, { ...state, mtimeMs }, false);
  t.ok(isNews('/0/a'));
  t.ok(isNews('/0/b'), 'all that was told is known');
  t.ok(isNews('/0/c'), 'and with this one, it is not');
  t.notOk(isNews('/0/a'));
  t.ok(isNews('/0/b', now), 'written now');
  t.notOk(isNews('/0/b', now), 'and known again');
  now += 60_000;
  t.ok(isNews('/0/d'), 'nothing was forgotten for a minute');
});
