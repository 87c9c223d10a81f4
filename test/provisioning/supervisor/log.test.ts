import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LogFile } from '../../../provisioning/supervisor/log.ts';

t.test('a log is two files of bounded size that only their owner reads', async (t) => {
  const directory = t.testdir();
  const paths = { supervisorLog: join(directory, 'log'), previousSupervisorLog: join(directory, 'log.1') };
  for (let round = 0; round < 3; round += 1) {
    // Another process, which finds what the one before has written.
    const log = new LogFile(paths, 500).of('ports');
    for (let line = 0; line < 20; line += 1) log.info(`round ${round} line ${line}`);
  }
  for (const file of Object.values(paths)) {
    t.ok(statSync(file).size <= 500);
    t.equal(statSync(file).mode & 0o777, 0o600);
  }
  const text = readFileSync(paths.supervisorLog, 'utf8');
  t.match(text, /^\d{4}-\d\d-\d\dT[\d:.]+Z ports: round 2 line \d+\n/);
  t.match(text, /round 2 line 19\n$/);
});

t.test('an error is told with its causes; a file that cannot be written ends nothing', async (t) => {
  const directory = t.testdir();
  const paths = { supervisorLog: join(directory, 'log'), previousSupervisorLog: join(directory, 'log.1') };
  new LogFile(paths).of('clock').error('failed', new Error('outer', { cause: new Error('inner\nmore') }));
  t.match(readFileSync(paths.supervisorLog, 'utf8'), / clock: failed: outer, because inner\n {2}more\n$/);
  new LogFile({ ...paths, supervisorLog: join(directory, 'gone', 'log') }).of('x').info('nobody reads this');
});
