import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { rotateConsole, tailOf } from '../../../drivers/qemu/console-log.ts';
import { qemuPaths } from '../../../drivers/qemu/paths.ts';

t.test('the tail of a console has no colours, no carriage returns and no control characters', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'machine-console-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const paths = qemuPaths(directory);
  t.equal(await tailOf(paths.console, 5), '', 'nothing yet is no error');
  await writeFile(
    paths.console,
    `${'x\n'.repeat(100_000)}one\r\n\x1b[2J\x1b[31mtwo\x07\x9d\r\nthree\r\n\r\n`,
  );
  t.equal(await tailOf(paths.console, 2), 'two\nthree');
  t.equal((await tailOf(paths.console, 1_000_000)).length < 70_000, true);
});

t.test('one earlier power-on is kept', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'machine-console-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const paths = qemuPaths(directory);
  await rotateConsole(paths);
  for (const text of ['first', 'second']) {
    await writeFile(paths.console, text);
    await rotateConsole(paths);
  }
  t.equal(await readFile(paths.previousConsole, 'utf8'), 'second');
});
