import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Cancelled, Timeout, Unavailable } from '../../../drivers/errors.ts';
import { identify, isAlive, whenGone } from '../../../drivers/process-identity.ts';
import { qemuPaths } from '../../../drivers/qemu/paths.ts';
import { findQemu, killQemu, spawnQemu } from '../../../drivers/qemu/process.ts';
import { FakeQmp } from './fake-qmp.ts';

const skip = process.platform === 'win32' && 'stands in for QEMU with a shell script';

/** A stand-in for QEMU that does what the script says. */
async function stage(t: Test, script: string) {
  const directory = await mkdtemp(join(tmpdir(), 'machine-qemu-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const program = join(directory, 'qemu');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const paths = qemuPaths(directory);
  return {
    directory,
    paths,
    start: { program, args: [], paths, qmp: { path: join(directory, 'qmp.sock') } },
  };
}

t.test(
  'a QEMU that answers is found again, and by its start time, not by its pid alone',
  { skip },
  async (t) => {
    const { paths, start } = await stage(t, 'exec sleep 60');
    await using qmp = await FakeQmp.open();
    const identity = await spawnQemu({ ...start, qmp, signal: AbortSignal.timeout(10_000) });
    t.same(await findQemu(paths), identity);
    if (process.platform === 'linux') {
      await writeFile(paths.process, JSON.stringify({ ...identity, started: '1' }));
      t.equal(await findQemu(paths), null, 'another process with this pid is not QEMU');
      await writeFile(paths.process, JSON.stringify(identity));
    }
    await killQemu(identity);
    await killQemu(identity);
    t.equal(await findQemu(paths), null);
  },
);

t.test(
  'a QEMU that ends at once is an error with its own words, and no process is remembered',
  { skip },
  async (t) => {
    const { directory, start } = await stage(t, 'echo "qemu: disk is locked" >&2; exit 1');
    const started = spawnQemu({ ...start, signal: AbortSignal.timeout(10_000) });
    await t.rejects(started, new Unavailable('QEMU ended with exit code 1; it said:\nqemu: disk is locked'));
    t.notOk((await readdir(directory)).includes('qemu.json'));
  },
);

t.test('an interruption or a deadline while it starts leaves no process', { skip }, async (t) => {
  const late = await stage(t, 'exec sleep 60');
  await t.rejects(spawnQemu({ ...late.start, signal: AbortSignal.timeout(200) }), Timeout);
  t.equal(await findQemu(late.paths), null);
  const { directory, start } = await stage(t, 'exec sleep 60');
  const controller = new AbortController();
  const starting = spawnQemu({ ...start, signal: controller.signal });
  setImmediate(() => controller.abort());
  await t.rejects(starting, Cancelled);
  t.notOk((await readdir(directory)).includes('qemu.json'));
});

t.test('a program that cannot be started is an error', async (t) => {
  const { start } = await stage(t, '');
  const started = spawnQemu({ ...start, program: '/nowhere/qemu', signal: AbortSignal.timeout(10_000) });
  await t.rejects(started, /QEMU could not be started: .*ENOENT/);
});

t.test('a process is known by pid and start, and its end is noticed', async (t) => {
  const self = await identify(process.pid);
  t.ok(self && (await isAlive(self)));
  t.equal(await whenGone(self!, AbortSignal.timeout(50)), false);
  t.equal(await identify(2 ** 22 + 1), null, 'beyond the largest pid');
});
