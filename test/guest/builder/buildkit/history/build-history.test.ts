import { readdirSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { BuildHistory } from '../../../../../guest/builder/buildkit/history/build-history.ts';
import { HistoryFiles } from '../../../../../guest/builder/buildkit/history/history-files.ts';
import { completedRecord, startedRecord } from '../../../../../guest/builder/buildkit/history/record.ts';
import { StatusResponse } from '../../../../../guest/builder/buildkit/wire/control.ts';
import { BuildHistoryRequest, eventTypes } from '../../../../../guest/builder/buildkit/wire/history.ts';
import { digestOf } from '../../../../../guest/digest.ts';

const { signal } = new AbortController();
const now = new Date();
const vertex = { digest: digestOf('v'), inputs: [], name: 'one', started: now, error: '' };
const progress = StatusResponse.of({
  vertexes: [
    { ...vertex, cached: false, completed: undefined },
    { ...vertex, cached: true, completed: now },
    { ...vertex, digest: digestOf('w'), cached: false, completed: undefined },
  ],
});

async function build(history: BuildHistory, ref: string) {
  const record = startedRecord({ ref, frontend: '', frontendAttrs: new Map(), exporters: [] });
  history.begin(record);
  await history.complete(completedRecord(record, progress, {}), progress);
}

async function refs(history: BuildHistory, limit = 0): Promise<(string | undefined)[]> {
  const found = [];
  for await (const { record } of history.listen(BuildHistoryRequest.of({ earlyExit: true, limit }), signal))
    found.push(record?.ref);
  return found;
}

function open(t: Test) {
  const directory = t.testdir();
  return { directory, again: () => new BuildHistory(new HistoryFiles(directory)) };
}

t.test('what was built is known after a restart, with its progress', async (t) => {
  const { directory, again } = open(t);
  await build(again(), '../a');
  writeFileSync(`${directory}/torn.record`, 'x');
  const history = again();
  const { value } = await history.listen(BuildHistoryRequest.of({ earlyExit: true }), signal).next();
  t.match(value, {
    type: eventTypes.complete,
    record: { ref: '../a', numTotalSteps: 2, numCachedSteps: 1, numCompletedSteps: 1 },
  });
  t.same(await history.progress('../a'), progress);
  t.equal(await history.progress('b'), null);
  t.equal(readdirSync(directory).length, 2, 'what is torn goes');
});

t.test('the oldest go when there are more than fifty, pinned ones stay', async (t) => {
  const { directory, again } = open(t);
  const history = again();
  await build(history, 'pinned');
  await history.pin('pinned', true);
  for (let i = 0; i < 52; i++) await build(history, `${i}`);
  const left = await refs(history);
  t.equal(left.length, 51);
  t.ok(left.includes('pinned'));
  t.notOk(left.includes('0') || left.includes('1'));
  t.same(await refs(history, 2), ['50', '51']);
  t.equal(readdirSync(directory).length, 102);
});

t.test('who listens on hears of what begins, ends and goes', async (t) => {
  const history = open(t).again();
  const enough = new AbortController();
  const heard: (readonly [number, string | undefined])[] = [];
  const listening = (async () => {
    for await (const { type, record } of history.listen(BuildHistoryRequest.of({}), enough.signal)) {
      heard.push([type, record?.ref]);
      if (type === eventTypes.deleted) enough.abort(new Error('enough'));
    }
  })();
  await new Promise((resolve) => setImmediate(resolve));
  await build(history, 'a');
  await history.remove('a');
  await t.rejects(listening);
  t.same(heard, [
    [eventTypes.started, 'a'],
    [eventTypes.complete, 'a'],
    [eventTypes.deleted, 'a'],
  ]);
});
