import t from 'tap';
import { assertKnownFilters, flagFilter, hasLabels, isPrunable } from '../../guest/label-filter.ts';

const labels = { app: 'web', empty: '', 'a=b': 'c' };

t.test('a label matches by key, or by key and value', async (t) => {
  t.ok(hasLabels(labels, ['app']));
  t.ok(hasLabels(labels, ['app=web', 'empty=', 'empty']));
  t.notOk(hasLabels(labels, ['app=web', 'other']));
  t.notOk(hasLabels(labels, ['app=']));
  t.notOk(hasLabels(labels, ['toString']));
  t.ok(hasLabels(labels));
});

t.test('a prune leaves out what label! names', async (t) => {
  t.ok(isPrunable(labels, new Map([['label', ['app']]])));
  t.notOk(isPrunable(labels, new Map([['label!', ['other', 'app=web']]])));
  t.ok(isPrunable(labels, new Map([['label!', ['app=db']]])));
});

t.test('a yes-or-no filter is one of both, and unknown filters are refused', async (t) => {
  t.equal(flagFilter(new Map(), 'dangling'), undefined);
  t.equal(flagFilter(new Map([['dangling', ['true']]]), 'dangling'), true);
  t.equal(flagFilter(new Map([['dangling', ['0']]]), 'dangling'), false);
  for (const values of [['true', 'false'], ['maybe']]) {
    t.throws(() => flagFilter(new Map([['dangling', values]]), 'dangling'), { name: 'InvalidParameter' });
  }
  t.throws(() => assertKnownFilters(new Map([['colour', ['red']]]), ['label']), {
    message: "invalid filter 'colour'",
  });
});
