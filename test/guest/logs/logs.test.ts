import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { JsonFileLog } from '../../../guest/logs/json-file-log.ts';
import { LineSplitter } from '../../../guest/logs/line-splitter.ts';
import { parseLogOptions } from '../../../guest/logs/log-options.ts';
import { type LogQuery, readLog } from '../../../guest/logs/read-log.ts';

const query: LogQuery = { stdout: true, stderr: true, follow: false, tail: null, since: null, until: null };
const ended = AbortSignal.abort();
const signal = new AbortController().signal;

async function textOf(log: JsonFileLog, more: Partial<LogQuery> = {}): Promise<string> {
  let text = '';
  for await (const entry of readLog(log, { ...query, ...more }, { signal, ended })) text += entry.log;
  return text;
}

t.test('lines are cut at newlines and at 16 KiB', async (t) => {
  const splitter = new LineSplitter();
  t.same(splitter.push(Buffer.from('a\nb')), ['a\n']);
  t.same(splitter.push(Buffer.from('c\n')), ['bc\n']);
  t.same(
    splitter.push(Buffer.alloc(20_000, 'x')).map((line) => line.length),
    [16_384],
  );
  t.equal(splitter.end()[0]?.length, 3616);
});

t.test('a log is bounded, and read oldest first across its files', async (t) => {
  const file = join(t.testdir({}), 'x.log');
  const log = new JsonFileLog(file, { maxBytes: 200, maxFiles: 2 });
  for (let i = 0; i < 6; i++) log.write(i % 2 ? 'stderr' : 'stdout', Buffer.from(`${i}\n`));
  log.end();
  t.ok(existsSync(`${file}.1`));
  t.notOk(existsSync(`${file}.2`));
  t.match(await textOf(log), /4\n5\n$/);
  t.equal(await textOf(log, { tail: 1 }), '5\n');
  t.equal(await textOf(log, { tail: 0 }), '');
  t.notMatch(await textOf(log, { stdout: false }), /4/);
});

t.test('following ends when the container has', async (t) => {
  const log = new JsonFileLog(join(t.testdir({}), 'x.log'), { maxBytes: 1000, maxFiles: 1 });
  const end = new AbortController();
  const read = (async () => {
    let text = '';
    for await (const entry of readLog(log, { ...query, follow: true }, { signal, ended: end.signal }))
      text += entry.log;
    return text;
  })();
  log.write('stdout', Buffer.from('one\n'));
  await new Promise(setImmediate);
  log.write('stdout', Buffer.from('two'));
  log.end();
  end.abort();
  t.equal(await read, 'one\ntwo');
});

t.test('log options are checked', async (t) => {
  t.match(parseLogOptions('json-file', { 'max-size': '1m', 'max-file': '2' }), {
    maxBytes: 1e6,
    maxFiles: 2,
  });
  t.throws(() => parseLogOptions('syslog', {}), /no log driver named 'syslog'/);
  t.throws(() => parseLogOptions('json-file', { tag: 'x' }), /unknown log opt 'tag'/);
});
