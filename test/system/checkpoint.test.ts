import { existsSync, truncateSync } from 'node:fs';
import t from 'tap';
import { commandLineOf, processesWith } from '../helpers/processes.ts';
import { MachineHarness } from './machine-harness.ts';

/** Under emulation machines resume a VM that was booted once; each must be one of its own nevertheless. */
const missing =
  MachineHarness.missing() ?? (process.arch === 'x64' ? undefined : 'checkpoints are made of amd64 machines');

t.test('machines of one checkpoint', { ...(missing && { skip: missing }), timeout: 1_800_000 }, async (t) => {
  const harness = await MachineHarness.openFor(t);
  const machine = async (...args: string[]) => {
    const result = await harness.machine(args);
    t.equal(result.exitCode, 0, `machine ${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  const inGuest = async (name: string, script: string) => (await machine('ssh', name, script)).stdout.trim();
  const isResumed = async (name: string) =>
    (await inGuest(name, 'cat /proc/cmdline')).includes(' machine.checkpoint');
  const containerId = async (name: string) =>
    (await harness.docker(name, ['create', 'busybox'])).stdout.trim();
  // Of a size of its own, so that its checkpoint is this test's.
  const create = ['create', '--qemu-accel', 'tcg', '--qemu-memory', '1024', '--qemu-disk-size', '1024'];
  /** The file that its QEMU was told to read. */
  const checkpointOf = (name: string) => {
    const [qemu] = processesWith('qemu-system', harness.directory(name), ' -incoming ');
    return commandLineOf(`${qemu}`).match(/ -incoming exec:exec cat '([^']+)'/)?.[1] ?? '';
  };
  await machine(...create, 'one');
  await machine(...create, 'two');
  // Other tests may be booting one of another size meanwhile.
  const booted = processesWith('qemu-system', 'machine-checkpoint', ' -m 1024M ');
  t.same(booted, [], 'the VM that was booted for it has ended');
  t.ok(await isResumed('one'));
  t.ok(await isResumed('two'));

  await t.test('have other random numbers, and another boot id at each start', async (t) => {
    const bootId = 'cat /proc/sys/kernel/random/boot_id';
    const kernel = 'head -c 16 /dev/urandom | od -x';
    const ids = [await containerId('one'), await containerId('two')];
    const boots = [await inGuest('one', bootId), await inGuest('two', bootId)];
    const drawn = [await inGuest('one', kernel), await inGuest('two', kernel)];
    await machine('stop', 'one');
    await machine('start', 'one');
    ids.push(await containerId('one'));
    boots.push(await inGuest('one', bootId));
    drawn.push(await inGuest('one', kernel));
    for (const [what, all] of Object.entries({ ids, boots, drawn })) {
      t.equal(new Set(all).size, 3, what);
      for (const one of all) t.match(one, /^[\da-f -]{30,}/);
    }
  });

  await t.test('have the right time and their own names', async (t) => {
    const earliest = Math.floor(Date.now() / 1000) - 1;
    const [name, seconds] = (await inGuest('two', 'hostname; date +%s')).split('\n');
    t.equal(name, 'two');
    t.ok(Number(seconds) >= earliest && Number(seconds) <= Date.now() / 1000 + 1, `${seconds}`);
  });

  await t.test('boot when the checkpoint is damaged', async (t) => {
    const file = checkpointOf('one');
    t.ok(existsSync(file), file);
    await machine('stop', 'one');
    truncateSync(file, 50_000_000);
    await machine('start', 'one');
    t.notOk(await isResumed('one'));
    t.notOk(existsSync(file), 'it is gone');
  });
});
