import { once } from 'node:events';
import { existsSync, readdirSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import type { ContainerLog } from '../../../guest/logs/container-log.ts';
import { jsonFormat } from '../../../guest/logs/json-format.ts';
import { LineSplitter } from '../../../guest/logs/line-splitter.ts';
import { localFormat } from '../../../guest/logs/local-format.ts';
import { formatLogTime, logTime, parseRfc3339 } from '../../../guest/logs/log-entry.ts';
import { logStream, parseLogTime } from '../../../guest/logs/log-stream.ts';
import { everything, linesOf, openTestLog } from './log-harness.ts';

const formats = { 'json-file': jsonFormat, local: localFormat };

function fill(log: ContainerLog, count: number): void {
  for (let i = 0; i < count; i++) log.write(i % 2 ? 'stderr' : 'stdout', Buffer.from(`${i}\n`));
}

t.test('lines are cut at newlines and at 16 KiB, but not within a character', async (t) => {
  const text = (lines: Buffer[]) => lines.map(String);
  const splitter = new LineSplitter();
  t.same(text(splitter.push(Buffer.from('a\nb'))), ['a\n']);
  t.equal(splitter.restBytes, 1);
  t.same(text(splitter.push(Buffer.from('c\n'))), ['bc\n']);
  t.same(
    splitter.push(Buffer.alloc(20_000, 'x')).map((line) => line.length),
    [16_384],
  );
  t.equal(splitter.end()[0]?.length, 3616);
  t.same(text(splitter.push(Buffer.from(`${'x'.repeat(16_383)}€uro\n`))), ['x'.repeat(16_383), '€uro\n']);
});

t.test('times have nanoseconds and survive their text', async (t) => {
  const first = logTime(() => 1_700_000_000_123);
  const second = logTime(() => 1_700_000_000_123);
  t.ok(second > first);
  t.equal(formatLogTime(1_700_000_000_000_000_012n), '2023-11-14T22:13:20.000000012Z');
  t.equal(parseRfc3339('2023-11-14T22:13:20.000000012Z'), 1_700_000_000_000_000_012n);
  t.equal(parseRfc3339('2023-11-14T23:13:20.5+01:00'), 1_700_000_000_500_000_000n);
  t.equal(parseRfc3339('yesterday'), null);
  t.equal(parseLogTime('1700000000.5', 'since'), 1_700_000_000_500_000_000n);
  t.throws(() => parseLogTime('yesterday', 'since'), /invalid value for "since"/);
});

for (const [name, format] of Object.entries(formats)) {
  t.test(`${name}: entries come back as they went in`, async (t) => {
    const entries = [
      { stream: 'stdout', time: 1n, line: Buffer.from('ä\n'), attributes: null },
      {
        stream: 'stderr',
        time: 1_700_000_000_000_000_012n,
        line: Buffer.from('"part'),
        attributes: { a: 'b' },
      },
    ] as const;
    const data = Buffer.concat(entries.map((entry) => Buffer.from(format.encode(entry))));
    t.same(format.decode(data), { entries, bytes: data.length });
    const torn = format.decode(data.subarray(0, -1));
    t.equal(torn.entries.length, 1);
    t.equal(torn.bytes, Buffer.from(format.encode(entries[0])).length);
  });

  t.test(`${name}: a log is bounded, and read oldest first across its files`, async (t) => {
    const { log } = openTestLog(join(t.testdir({}), 'x.log'), { format, maxBytes: 60, maxFiles: 3 });
    fill(log, 20);
    log.end();
    t.ok(existsSync(`${log.file}.2`));
    t.notOk(existsSync(`${log.file}.3`));
    const all = await linesOf(log);
    t.match(all, /17\n18\n19\n$/);
    t.equal(await linesOf(log, { tail: 1 }), '19\n');
    t.equal(await linesOf(log, { tail: 0 }), '');
    t.equal(await linesOf(log, { tail: 1000 }), all);
    t.equal(await linesOf(log, { tail: 2, stderr: false }), '18\n', 'the last lines, and of them some');
    t.notMatch(await linesOf(log, { stdout: false }), /18/);
  });

  t.test(`${name}: the last of many lines, and others have their turn meanwhile`, async (t) => {
    const { log } = openTestLog(join(t.testdir({}), 'x.log'), { format, maxBytes: 10_000_000 });
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i}${'.'.repeat(i % 100)}\n`);
    log.write('stdout', Buffer.from(lines.join('')));
    log.end();
    let turns = 0;
    const turning = setInterval(() => turns++, 0);
    t.teardown(() => clearInterval(turning));
    for (const tail of [1, 2999, 15_000, 20_000, 1_000_000_000])
      t.ok((await linesOf(log, { tail })) === lines.slice(-tail).join(''), `${tail} lines`);
    const before = turns;
    t.equal(await linesOf(log, { since: 1n << 62n }), '');
    t.ok(turns > before, 'also when nothing is found');
  });

  t.test(`${name}: a follower has every line across rotations, and the last words`, async (t) => {
    const { log } = openTestLog(join(t.testdir({}), 'x.log'), { format, maxBytes: 60, maxFiles: 1 });
    const end = new AbortController();
    fill(log, 1);
    const read = linesOf(log, { follow: true, tail: 1 }, end.signal);
    const nothing = linesOf(log, { follow: true, tail: 0 }, end.signal);
    await new Promise(setImmediate);
    fill(log, 100);
    await new Promise(setImmediate);
    log.write('stdout', Buffer.from('last'));
    log.end();
    end.abort();
    const later = `${Array.from({ length: 100 }, (_, i) => `${i}\n`).join('')}last`;
    t.equal(await read, `0\n${later}`);
    t.equal(await nothing, later);
  });

  t.test(`${name}: older files are compressed, and read all the same`, async (t) => {
    const { log } = openTestLog(join(t.testdir({}), 'x.log'), {
      format,
      maxBytes: 60,
      maxFiles: 4,
      compress: true,
    });
    const watcher = watch(dirname(log.file));
    t.teardown(() => watcher.close());
    fill(log, 10);
    const before = await linesOf(log);
    const plain = () => readdirSync(dirname(log.file)).filter((name) => /\.(\d|compressing)$/.test(name));
    while (plain().length > 0) await once(watcher, 'change');
    t.ok(existsSync(`${log.file}.1.gz`));
    t.equal(await linesOf(log), before);
    t.equal(await linesOf(log, { tail: 3 }), '7\n8\n9\n');
    fill(log, 1);
    t.match(await linesOf(log, { tail: 2 }), /9\n0\n/);
    log.end();
  });
}

t.test('a compressed file that is damaged is an error, not silence', async (t) => {
  const { log } = openTestLog(join(t.testdir({}), 'x.log'));
  fill(log, 2);
  log.end();
  writeFileSync(`${log.file}.1.gz`, 'not gzip');
  await t.rejects(linesOf(log));
});

t.test('since and until choose by time, both inclusive', async (t) => {
  const file = join(t.testdir({}), 'x.log');
  const line = (second: number) =>
    jsonFormat.encode({
      stream: 'stdout',
      time: BigInt(second) * 1_000_000_000n,
      line: Buffer.from(`${second}\n`),
      attributes: null,
    });
  writeFileSync(file, [1, 2, 3, 4].map(line).join(''));
  const { log } = openTestLog(file);
  t.equal(await linesOf(log, { since: 2_000_000_000n, until: 3_000_000_000n }), '2\n3\n');
  t.equal(await linesOf(log, { since: 3_000_000_001n }), '4\n');
  t.equal(await linesOf(log, { tail: 3, until: 2_000_000_000n }), '2\n', 'of the last three');
});

t.test('timestamps and details stand once before a line, also before one in parts', async (t) => {
  const attributes = { 'b c': 'd&e', a: '1' };
  const { log } = openTestLog(join(t.testdir({}), 'x.log'), { maxBytes: 1e6, attributes });
  log.write('stdout', Buffer.from(`${'x'.repeat(20_000)}\n`));
  log.end();
  const query = { ...everything, timestamps: true, details: true, terminal: true };
  const ended = AbortSignal.abort();
  let shown = '';
  for await (const chunk of logStream(log, query, { signal: new AbortController().signal, ended }))
    shown += chunk;
  t.match(shown, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z a=1,b\+c=d%26e x{20000}\n$/);
});

t.test('a follower ends when `until` has come, though nothing is written', async (t) => {
  const { log } = openTestLog(join(t.testdir(), 'x.log'));
  log.write('stdout', Buffer.from('before\n'));
  const until = BigInt(Date.now() + 50) * 1_000_000n;
  const running = new AbortController().signal;
  // The follower's own timer keeps no process running.
  const alive = setTimeout(() => {}, 60_000);
  t.teardown(() => clearTimeout(alive));
  t.equal(await linesOf(log, { follow: true, until }, running), 'before\n');
  t.ok(BigInt(Date.now()) * 1_000_000n >= until, 'not earlier');
  log.end();
});
