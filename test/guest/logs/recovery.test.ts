import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { jsonFormat } from '../../../guest/logs/json-format.ts';
import { localFormat } from '../../../guest/logs/local-format.ts';
import { linesOf, openTestLog } from './log-harness.ts';

const output = Buffer.from('first\nsecond\nbeg');

for (const [name, format] of Object.entries({ 'json-file': jsonFormat, local: localFormat })) {
  const options = { format, maxBytes: 1000, maxFiles: 2 };

  t.test(`${name}: what comes after a kill is taken up at the checkpoint`, async (t) => {
    const file = join(t.testdir({}), 'x.log');
    const died = openTestLog(file, options);
    died.log.begin(died.checkpoint);
    died.log.write('stdout', output.subarray(0, 8));
    died.log.write('stdout', output.subarray(8));
    // The kill was in the middle of the last write.
    appendFileSync(file, Buffer.from(jsonFormat === format ? '{"log":"ha' : [0, 0, 1]));
    const next = openTestLog(file, options);
    const from = next.log.recover(next.checkpoint);
    t.same(from, died.log.saved, 'no position that was acknowledged is asked for again');
    next.log.write('stdout', output.subarray(from.stdout));
    next.log.write('stdout', Buffer.from('un\n'));
    next.log.end();
    t.equal(await linesOf(next.log), 'first\nsecond\nbegun\n');
  });

  t.test(`${name}: recovering again and again changes nothing`, async (t) => {
    const file = join(t.testdir({}), 'x.log');
    const died = openTestLog(file, options);
    died.log.begin(died.checkpoint);
    died.log.write('stdout', output);
    for (let i = 0; i < 3; i++) {
      const { log, checkpoint } = openTestLog(file, options);
      t.same(log.recover(checkpoint), { stdout: 0, stderr: 0 });
    }
    const { log, checkpoint } = openTestLog(file, options);
    log.recover(checkpoint);
    log.write('stdout', output);
    log.end();
    t.equal(await linesOf(log), 'first\nsecond\nbeg');
  });

  t.test(`${name}: a kill after a rotation doubles nothing`, async (t) => {
    const file = join(t.testdir({}), 'x.log');
    const died = openTestLog(file, options);
    died.log.begin(died.checkpoint);
    died.log.write('stdout', Buffer.from('first\n'));
    died.log.write('stdout', Buffer.from('second\n'));
    // As the checkpoint is saved first, it tells of all that is in the file that goes.
    const size = statSync(file).size;
    writeFileSync(died.checkpoint, `${statSync(file).ino} ${size} 13 0`.padEnd(127).concat('\n'));
    renameSync(file, `${file}.1`);
    const next = openTestLog(file, options);
    t.same(next.log.recover(next.checkpoint), { stdout: 13, stderr: 0 });
    next.log.write('stdout', Buffer.from('third\n'));
    next.log.end();
    t.equal(await linesOf(next.log), 'first\nsecond\nthird\n');
  });

  t.test(`${name}: without a checkpoint a torn entry is cut off, and no more`, async (t) => {
    const file = join(t.testdir({}), 'x.log');
    const died = openTestLog(file, options);
    died.log.write('stderr', output);
    const whole = readFileSync(file);
    appendFileSync(file, whole.subarray(0, 10));
    const { log, checkpoint } = openTestLog(file, options);
    t.same(log.recover(checkpoint), { stdout: 0, stderr: 0 });
    log.end();
    t.ok(readFileSync(file).equals(whole));
  });
}

t.test('what is not in the log is never told to be saved', async (t) => {
  const { log, checkpoint } = openTestLog(join(t.testdir({}), 'x.log'));
  log.begin(checkpoint);
  log.write('stdout', output);
  t.same(log.saved, { stdout: 0, stderr: 0 }, 'one write behind');
  log.write('stdout', Buffer.from('un\n'));
  t.same(log.saved, { stdout: 13, stderr: 0 }, 'not the beginning of a line');
  log.end();
});
