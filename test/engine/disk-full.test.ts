import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

/** The data root is a disk of its own of some megabytes. */
function onSmallDisk(engine: EngineHarness): void {
  mkdirSync(engine.dataRoot);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'machine-test', engine.dataRoot]);
  engine.afterwards = () => void execFileSync('umount', [engine.dataRoot]);
}

/** To the last byte; the returned function gives the space back. */
function fill(engine: EngineHarness): () => void {
  const file = join(engine.dataRoot, 'filler');
  const fd = openSync(file, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(fd);
  }
  return () => rmSync(file);
}

t.test('at a full disk the engine refuses, keeps its records, and can be cleaned up', { skip }, async (t) => {
  const engine = await EngineHarness.open(t, [], onSmallDisk);
  await engine.loadBusybox();
  const saved = join(engine.directory, 'saved.tar');
  await engine.output(['create', '--name', 'made', '-v', 'data:/d', 'busybox', 'true']);
  await engine.output(['commit', 'made', 'second:1']);
  await engine.output(['save', '-o', saved, 'busybox']);
  const talk = 'while :; do echo a line; usleep 100000; done';
  await engine.output(['run', '-d', '--name', 'talks', 'busybox', 'sh', '-c', talk]);
  await engine.output(['run', '-d', '--name', 'ends', 'busybox', 'sleep', '2']);

  const giveBack = fill(engine);
  const refused = { stderr: /no space left on device; docker system prune may give some back/ };
  t.match(await engine.docker(['run', '--rm', '-v', '/new', 'busybox', 'true']), refused);
  t.match(await engine.docker(['import', saved, 'imported:1']), refused);
  t.match(await engine.docker(['cp', saved, 'talks:/copy']), { exitCode: 1 });
  t.equal((await engine.output(['wait', 'ends'])).trim(), '0', 'an end is seen and remembered');
  t.equal(await engine.output(['exec', 'talks', 'echo', 'still here']), 'still here\n');
  await engine.output(['stop', '-t', '0', 'talks']);

  await engine.stop('SIGKILL');
  await engine.start();
  const names = async () =>
    (await engine.output(['ps', '-a', '--format', '{{.Names}} {{.State}}'])).trim().split('\n').sort();
  t.same(await names(), ['ends exited', 'made created', 'talks exited'], 'also over a restart');
  await engine.output(['rm', 'ends', 'talks']);
  t.equal((await engine.output(['rmi', 'second:1'])).split('\n')[0], 'Untagged: second:1');
  t.same(await names(), ['made created']);

  giveBack();
  t.equal(await engine.output(['run', '--rm', 'busybox', 'echo', 'space again']), 'space again\n');
  t.match(await engine.output(['load', '-i', saved]), 'Loaded image: busybox:latest');
  t.same(readdirSync(join(engine.dataRoot, 'layers')).length, 2, 'nothing half-made is left');
});
