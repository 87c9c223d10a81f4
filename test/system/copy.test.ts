import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { pathWithRsync } from '../helpers/rsync.ts';
import { runCommand } from '../helpers/run-command.ts';
import { MachineHarness } from './machine-harness.ts';

const has = async (program: string) =>
  (await runCommand('sh', ['-c', `command -v ${program}`])).exitCode === 0;

const missing = MachineHarness.missing() ?? ((await has('scp')) ? undefined : 'no scp on this computer');
t.test('files of a machine from here', { skip: missing ?? false, timeout: 1_200_000 }, async (t) => {
  const harness = await MachineHarness.open();
  const here = await realpath(await mkdtemp(join(tmpdir(), 'copy-')));
  t.teardown(async () => {
    await harness.close();
    await rm(here, { recursive: true });
  });
  await harness.succeed('create', '--no-mount', 'dev');
  const inMachine = async (script: string) => (await harness.machine(['ssh', 'dev', script])).stdout;
  const bytes = randomBytes(5 * 1024 ** 2);
  await mkdir(join(here, 'a dir', 'sub'), { recursive: true });
  await writeFile(join(here, 'a dir', 'ü file'), 'hällo');
  await writeFile(join(here, 'a dir', 'sub', 'large'), bytes);

  await t.test('are copied both ways, whatever their names are', async (t) => {
    const there = await harness.machine(['scp', '-r', join(here, 'a dir'), 'dev:/tmp/']);
    t.equal(there.exitCode, 0, there.stderr);
    t.equal(await inMachine("cat '/tmp/a dir/ü file'"), 'hällo');
    const back = await harness.machine(['scp', '-q', '-r', 'dev:/tmp/a dir', join(here, 'back')]);
    t.match(back, { exitCode: 0, stdout: '', stderr: '' });
    t.ok(bytes.equals(await readFile(join(here, 'back', 'sub', 'large'))));
  });

  await t.test('go to the home of the machine’s user when no path is said', async (t) => {
    await writeFile(join(here, 'plain'), 'p');
    const to = await harness.machine(['scp', join(here, 'plain'), 'root@dev:']);
    t.equal(to.exitCode, 0, to.stderr);
    t.equal(await inMachine('cat plain'), 'p');
  });

  await t.test('that are not there are scp’s error and exit code', async (t) => {
    const { exitCode, stderr } = await harness.machine(['scp', 'dev:/no such', here]);
    t.not(exitCode, 0);
    t.match(stderr, /No such file or directory/);
    const directory = await harness.machine(['scp', join(here, 'a dir'), 'dev:/tmp/x']);
    t.not(directory.exitCode, 0, 'a directory without -r');
  });

  await t.test('are copied without OpenSSH’s programs, too', async (t) => {
    const native = (...args: string[]) => harness.machine(['--native-ssh', 'scp', ...args]);
    t.match(await native('-r', join(here, 'a dir'), 'dev:native'), { exitCode: 0, stdout: '', stderr: '' });
    t.match(await native('-r', 'dev:native', join(here, 'native')), { exitCode: 0 });
    t.ok(bytes.equals(await readFile(join(here, 'native', 'sub', 'large'))));
    t.match(await native('dev:native/ü file', 'root@dev:/tmp/twice'), { exitCode: 0 });
    t.equal(await inMachine('cat /tmp/twice'), 'hällo');
    t.match(await native('dev:/no such', here), {
      exitCode: 1,
      stderr: /^Error: dev:\/no such: No such file/,
    });
  });

  await t.test('are not talked about with another machine in its place', async (t) => {
    const pinned = join(harness.store, 'machines', 'dev', 'known_hosts');
    const right = await readFile(pinned, 'utf8');
    const { stdout } = await runCommand('sh', [
      '-c',
      `ssh-keygen -q -t ed25519 -N '' -f '${here}/key' && cat '${here}/key.pub'`,
    ]);
    await writeFile(pinned, `machine-dev ${stdout}`);
    const { exitCode, stderr } = await harness.machine(['scp', join(here, 'plain'), 'dev:/tmp/stolen']);
    await writeFile(pinned, right);
    t.not(exitCode, 0);
    t.match(stderr, /host key/i);
    t.equal(await inMachine('ls /tmp/stolen 2>/dev/null'), '');
  });

  const path = await pathWithRsync(join(here, 'bin')).catch((error: Error) => error);
  const noRsync = path instanceof Error ? `no rsync: ${path.message}` : false;
  await t.test('are sent as far as they differ with -d', { skip: noRsync }, async (t) => {
    const env = { PATH: String(path) };
    const send = async () => {
      const { stdout, stderr, exitCode } = await harness.machine(
        ['scp', '-d', '-r', join(here, 'a dir'), 'dev:/tmp/delta/'],
        { env },
      );
      t.equal(exitCode, 0, stderr);
      return stdout;
    };
    /** Bytes that the machine has had by its network. */
    const received = async () => Number(await inMachine('cat /sys/class/net/eth0/statistics/rx_bytes'));
    t.match(await send(), /large/);
    t.notMatch(await send(), /large/, 'what is as it was is not sent');
    const large = join(here, 'a dir', 'sub', 'large');
    bytes[1_000_000]! ^= 1;
    await writeFile(large, bytes);
    const before = await received();
    await send();
    const sent = (await received()) - before;
    t.ok(sent < 1024 ** 2, `${sent} bytes for one that differs`);
    await harness.machine(['scp', '-d', '-q', 'dev:/tmp/delta/a dir/sub/large', join(here, 'delta')], {
      env,
    });
    t.ok(bytes.equals(await readFile(join(here, 'delta'))));
  });

  await t.test('are mounted here', { skip: (await has('sshfs')) ? false : 'no sshfs' }, async (t) => {
    const mountpoint = join(here, 'mnt');
    await mkdir(mountpoint);
    await inMachine('mkdir -p /tmp/data; echo guest >/tmp/data/file');
    const mounted = await harness.machine(['mount', 'dev:/tmp/data', mountpoint]);
    t.equal(mounted.exitCode, 0, mounted.stderr);
    const unmount = () => harness.machine(['mount', '-u', 'dev:/tmp/data', mountpoint]);
    t.teardown(() => unmount().then(() => {}));
    t.equal(await readFile(join(mountpoint, 'file'), 'utf8'), 'guest\n');
    t.equal((await stat(join(mountpoint, 'file'))).uid, process.getuid?.());
    await writeFile(join(mountpoint, 'ö host'), 'from here');
    t.equal(await inMachine("cat '/tmp/data/ö host'"), 'from here');

    t.equal((await harness.machine(['restart', 'dev'])).exitCode, 0);
    await inMachine('mkdir -p /tmp/data; echo again >/tmp/data/after');
    let found = '';
    for (let tries = 0; found === '' && tries < 20; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      found = await readFile(join(mountpoint, 'after'), 'utf8').catch(() => '');
    }
    t.equal(found, 'again\n', 'and connected again after the machine was off');

    t.match(await unmount(), { exitCode: 0 });
    t.same(await readdir(mountpoint), []);
    t.not((await unmount()).exitCode, 0, 'nothing is mounted any more');
  });

  await t.test('come from another machine, through here', async (t) => {
    const other = await harness.machine(['create', '--no-mount', 'other']);
    t.equal(other.exitCode, 0, other.stderr);
    await inMachine('echo mine >/tmp/mine');
    const { exitCode, stderr } = await harness.machine(['scp', 'dev:/tmp/mine', 'other:/tmp/yours']);
    t.equal(exitCode, 0, stderr);
    t.equal((await harness.machine(['ssh', 'other', 'cat', '/tmp/yours'])).stdout, 'mine\n');
  });
});
