import { appendFileSync, copyFileSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { JsonFileLog } from '../../../guest/logs/json-file-log.ts';

const bounds = { maxBytes: 1000, maxFiles: 2 };

/** A log whose agent has died after these pieces; nothing was ended. */
function died(t: Test, pieces: readonly string[], own: { maxBytes: number; maxFiles: number } = bounds) {
  const file = join(t.testdir({}), 'x.log');
  const log = new JsonFileLog(file, own);
  for (const piece of pieces) log.write('stdout', Buffer.from(piece));
  return file;
}

/** What the next agent has logged when the container writes no more. */
function recovered(file: string, rest = '', own = bounds): string {
  const log = new JsonFileLog(file, own);
  log.recover();
  if (rest) log.write('stdout', Buffer.from(rest));
  log.end();
  return textOf(file);
}

function textOf(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line).log).join('');
}

t.test('the beginning of a line outlives the agent', async (t) => {
  t.equal(recovered(died(t, ['a\nb']), 'c\n'), 'a\nbc\n');
});

t.test('a line that was written in part is written again, once', async (t) => {
  const file = died(t, ['a\n', 'b\nc\nd']);
  truncateSync(file, readFileSync(file).length - 5);
  t.equal(recovered(file, 'e'), 'a\nb\nc\nde');
});

t.test('recovering twice changes nothing', async (t) => {
  const file = died(t, ['a\n', 'b\nc']);
  new JsonFileLog(file, bounds).recover();
  t.equal(recovered(file), 'a\nb\nc');
});

t.test('a redo record that was cut short costs the piece in it, never a line before it', async (t) => {
  const file = died(t, ['a\n', 'b\n']);
  truncateSync(`${file}.redo`, readFileSync(`${file}.redo`).length - 2);
  appendFileSync(file, '{"log":"half');
  t.equal(recovered(file, 'c\n'), 'a\nb\nc\n');
});

t.test('a piece that was logged before a rotation is not logged again', async (t) => {
  const small = { maxBytes: 60, maxFiles: 2 };
  const file = died(t, ['first\nbeg'], small);
  copyFileSync(`${file}.redo`, `${file}.saved`);
  new JsonFileLog(file, small).recover();
  const log = new JsonFileLog(file, small);
  log.recover();
  log.write('stdout', Buffer.from('in\n'));
  copyFileSync(`${file}.saved`, `${file}.redo`);
  t.equal(textOf(`${file}.1`), 'first\n');
  truncateSync(file, 0);
  t.equal(recovered(file, 'un\n', small), 'begun\n');
});

t.test('nothing is left of the record when the run is over', async (t) => {
  const file = died(t, ['a\n']);
  recovered(file);
  t.throws(() => readFileSync(`${file}.redo`), { code: 'ENOENT' });
});
