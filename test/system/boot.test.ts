import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { QemuDriver } from '../../drivers/qemu/driver.ts';
import { qemuPaths } from '../../drivers/qemu/paths.ts';
import type { BootConfig } from '../../guest/wire/index.ts';
import { issueAuthority, issueServer } from '../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../provisioning/certs/key-pair.ts';
import { osImage } from '../../provisioning/os-image.ts';
import { testDriver } from '../conformance/driver.ts';
import { runCommand } from '../helpers/run-command.ts';
import { MachineHarness } from './machine-harness.ts';

/** What happens from power-on to power-off, with a real guest. */
const missing = MachineHarness.missing();

t.test(
  'a machine boots, keeps what it was given, and ends',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    const machine = (...args: string[]) => harness.succeed(...args);
    const inGuest = (script: string) => machine('ssh', 'boot', script);
    await machine('create', 'boot');

    await t.test('the guest is what the host asked for', async (t) => {
      const facts = await inGuest(
        // All but one processor come up in the moment after hello.
        'hostname; until [ "$(nproc)" = 2 ]; do sleep 1; done; nproc; grep -c " /sys/fs/cgroup cgroup2 " /proc/mounts; cat /sys/fs/cgroup/cgroup.subtree_control',
      );
      const [hostname, processors, cgroup2, controllers] = facts.split('\n');
      t.equal(hostname, 'boot');
      t.equal(processors, '2');
      t.equal(cgroup2, '1');
      for (const controller of ['cpu', 'memory', 'pids', 'io']) t.match(controllers, controller);
      const drift = Math.abs(Number(await inGuest('date +%s')) - Date.now() / 1000);
      t.ok(drift < 30, `the clock is right (${drift.toFixed(1)} s off, with the time that ssh took)`);
    });

    await t.test('its root cannot be written, its secrets are for root only and in memory', async (t) => {
      t.match(await inGuest('touch /usr/x 2>&1 || true'), /Read-only file system/);
      t.equal(await inGuest('find /run/machine/ssh ! -type d -perm /077'), '');
      t.match(
        await inGuest(`su nobody -s /bin/sh -c 'cat /etc/resolv.conf /etc/hosts'`),
        /^nameserver .*localhost boot$/ms,
      );
      t.equal(await inGuest('stat -f -c %T /run'), 'tmpfs');
    });

    await t.test('a clean power-off unmounts the data disk', async (t) => {
      await inGuest('echo kept > /root/note');
      await machine('stop', 'boot');
      await machine('start', 'boot');
      t.equal(await inGuest('cat /root/note'), 'kept');
      t.notMatch(await inGuest('dmesg'), /EXT4-fs.*recover/);
    });

    await t.test('what was synced survives a power cut', async (t) => {
      await inGuest('for i in $(seq 200); do echo $i > /root/f$i; done; sync; echo lost > /root/unsynced');
      await machine('kill', 'boot');
      await machine('start', 'boot');
      t.match(await inGuest('dmesg'), /EXT4-fs \(vdc\): recovery complete/);
      t.equal(await inGuest('cat /root/f1 /root/f200'), '1\n200');
      t.equal(await inGuest('ls /root | grep -c "^f"'), '200');
    });

    await t.test('a reboot from inside is no end', async () => {
      const bootId = 'cat /proc/sys/kernel/random/boot_id';
      const before = await inGuest(bootId);
      // The connection ends with the guest: how, does not matter.
      await harness.machine(['ssh', 'boot', 'reboot']);
      for (let tries = 0; tries < 60; tries++) {
        const { stdout } = await harness.machine(['ssh', 'boot', `${bootId}; cat /root/note`]);
        // It answers a little longer before it goes down.
        if (stdout.endsWith('kept\n') && !stdout.startsWith(before)) return;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
      throw new Error('the machine did not come back from a reboot');
    });

    await t.test('a data disk that grew is used whole', async (t) => {
      const size = async () => Number((await inGuest('df -m /var/lib/machine | tail -1')).split(/\s+/)[1]);
      const before = await size();
      await machine('stop', 'boot');
      const { disk } = qemuPaths(join(harness.store, 'machines', 'boot'));
      const grown = await runCommand('qemu-img', ['resize', '-q', disk, '24G']);
      t.equal(grown.exitCode, 0, grown.stderr);
      await machine('start', 'boot');
      const after = await size();
      t.ok(before < 20_480 && after > 23_000, `${before} MiB before, ${after} MiB after`);
      t.equal(await inGuest('cat /root/note'), 'kept');
    });

    await t.test('a data disk that is not ours is left as it is, and the error says so', async (t) => {
      await machine('stop', 'boot');
      const { disk } = qemuPaths(join(harness.store, 'machines', 'boot'));
      await rm(disk);
      await runCommand('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '20G']);
      const written = await runCommand('qemu-io', ['-f', 'qcow2', '-c', 'write -P 65 0 64k', disk]);
      t.equal(written.exitCode, 0, written.stderr);
      const started = await harness.machine(['start', 'boot']);
      t.not(started.exitCode, 0);
      t.match(started.stderr, /the data disk holds no file system of ours and is not empty/);
      const read = await runCommand('qemu-io', ['-f', 'qcow2', '-c', 'read -P 65 0 64k', disk]);
      t.equal(read.exitCode, 0, `nothing was written over it: ${read.stdout}${read.stderr}`);
    });
  },
);

t.test(
  'driver qemu keeps the promises of a driver',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const cache = process.env.MACHINE_CACHE_PATH ?? join(tmpdir(), 'machine-test-cache');
    const keys = await mkdtemp(join(tmpdir(), 'machine-keys-'));
    t.teardown(() => rm(keys, { recursive: true }));
    await runCommand('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, 'key')]);
    const { stdout: hostKey } = await runCommand('cat', [join(keys, 'key')]);
    const authority = issueAuthority({ key: await rsaPrivateKey(2048) });
    const server = issueServer({
      authority,
      key: await rsaPrivateKey(2048),
      names: ['localhost'],
      commonName: 'conform',
    });
    await testDriver(t, {
      driver: new QemuDriver(),
      options: {
        // As other tests have it, whose checkpoint it takes.
        'qemu-memory': '2048',
        'qemu-cpu-count': '2',
        'qemu-disk-size': '20480',
        'qemu-accel': 'auto',
      },
      osImage: await osImage(cache),
      bootConfig: JSON.stringify({
        version: 1,
        hostname: 'conform',
        ssh: { authorizedKeys: [], hostKey },
        tls: { ca: authority.cert, cert: server.cert, key: server.key },
        engine: { labels: [], insecureRegistries: [], registryMirrors: [], env: {} },
        host: { proxies: {}, authorities: [] },
        directories: [],
        directoriesBy: 'sftp',
      } satisfies BootConfig),
      deadlineMs: 180_000,
    });
  },
);
