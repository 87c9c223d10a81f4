import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { MachineHarness } from './machine-harness.ts';

/** The promise of the README, line by line, as a user types it. */
const missing = MachineHarness.missing();
t.test(
  'from nothing to a first container, and back to nothing',
  { ...(missing && { skip: missing }), timeout: 1_800_000 },
  async (t) => {
    const harness = await MachineHarness.openFor(t);
    const machine = (...args: string[]) => harness.machine(args);
    const docker = (...args: string[]) => harness.docker('dev', args);

    await t.test('machine create makes a running machine', async (t) => {
      const created = await machine('create', 'dev');
      t.equal(created.exitCode, 0, created.stderr);
      t.equal((await machine('status', 'dev')).stdout, 'Running\n');
      t.match((await machine('ls')).stdout, /^dev\s.*qemu\s+Running\s+tcp:\/\/127\.0\.0\.1:\d+/m);
      t.match((await machine('url', 'dev')).stdout, /^tcp:\/\/127\.0\.0\.1:\d+\n$/);
      t.equal((await machine('ip', 'dev')).stdout, '127.0.0.1\n');
    });

    await t.test('a machine of the same name is refused and the first one is kept', async (t) => {
      const again = await machine('create', 'dev');
      t.not(again.exitCode, 0);
      t.match(again.stderr, /already exists/);
      t.equal((await machine('status', 'dev')).stdout, 'Running\n');
    });

    await t.test('the stock docker CLI sees an engine', async (t) => {
      t.match((await docker('version', '--format', '{{.Server.APIVersion}}')).stdout, /^1\.\d+\n$/);
      t.match((await docker('info', '--format', '{{.OSType}} {{.CgroupVersion}}')).stdout, 'linux 2');
      t.equal((await docker('info', '--format', '{{.NCPU}}')).stdout, '2\n');
      t.match((await docker('images', '--format', '{{.Repository}}:{{.Tag}}')).stdout, /^busybox:latest$/m);
    });

    await t.test('containers run: output, exit codes, standard input', async (t) => {
      const hello = await docker('run', '--rm', 'busybox', 'echo', 'hello');
      t.equal(hello.stdout, 'hello\n', hello.stderr);
      t.equal(hello.exitCode, 0);
      t.equal((await docker('run', '--rm', 'busybox', 'sh', '-c', 'exit 7')).exitCode, 7);
      t.equal((await docker('run', '--rm', 'busybox', 'no-such-program')).exitCode, 127);
      const piped = await harness.docker('dev', ['run', '-i', '--rm', 'busybox', 'cat'], { input: 'abc\n' });
      t.equal(piped.stdout, 'abc\n', 'half-close works over TLS');
      t.equal((await docker('run', '--rm', 'busybox', 'nproc')).stdout, '2\n');
      const names = await docker('run', '--rm', 'busybox', 'cat', '/etc/resolv.conf');
      t.match(names.stdout, /^nameserver 10\.0\.2\.53$/m, "names are looked up where the host's are");
    });

    await t.test('a server runs in the background', async (t) => {
      const web = ['-h', 'web', '-p', '18490:80', 'busybox', 'httpd', '-f', '-p', '80'];
      t.equal((await docker('run', '-d', '--name', 'web', ...web)).exitCode, 0);
      const listed = await docker('ps', '--format', '{{.Names}} {{.Ports}}');
      t.equal(listed.stdout, 'web 127.0.0.1:18490->80/tcp\n');
      t.match((await docker('exec', 'web', 'ps')).stdout, /httpd -f -p 80/);
      const page = await fetch('http://localhost:18490/etc/hostname');
      t.equal(await page.text(), 'web\n', 'on this computer');
      t.equal((await docker('stop', '-t', '2', 'web')).exitCode, 0);
      t.equal((await docker('rm', 'web')).stdout, 'web\n');
    });

    await t.test('images go out and come back', async (t) => {
      const archive = join(harness.store, 'busybox.tar');
      t.equal((await docker('save', '-o', archive, 'busybox')).exitCode, 0);
      t.match((await docker('load', '-i', archive)).stdout, 'Loaded image: busybox:latest');
      t.equal((await docker('create', '--name', 'source', 'busybox', 'true')).exitCode, 0);
      const exported = join(harness.store, 'rootfs.tar');
      t.equal((await docker('export', '-o', exported, 'source')).exitCode, 0);
      t.equal((await docker('import', '--change', 'CMD ["echo","imported"]', exported, 'own:1')).exitCode, 0);
      t.equal((await docker('run', '--rm', 'own:1')).stdout, 'imported\n');
      t.equal((await docker('rm', 'source')).exitCode, 0);
      t.equal((await docker('rmi', 'own:1')).exitCode, 0);
      await rm(archive);
    });

    await t.test('a stopped machine keeps what it had', async (t) => {
      t.equal((await docker('create', '--name', 'kept', 'busybox', 'echo', 'still here')).exitCode, 0);
      const stopped = await machine('stop', 'dev');
      t.equal(stopped.exitCode, 0, stopped.stderr);
      t.equal((await machine('status', 'dev')).stdout, 'Stopped\n');
      t.not((await machine('url', 'dev')).exitCode, 0);
      const env = { HTTPS_PROXY: 'http://127.0.0.1:3128', https_proxy: '' };
      const started = await harness.machine(['start', 'dev'], { env });
      t.equal(started.exitCode, 0, started.stderr);
      t.equal((await docker('start', '-a', 'kept')).stdout, 'still here\n');
      const info = await docker('info', '--format', '{{.HTTPSProxy}}');
      t.equal(info.stdout, 'http://10.0.2.2:3128\n', "with this computer's proxy");
    });

    await t.test('machine rm leaves nothing', async (t) => {
      t.equal((await machine('rm', '-y', 'dev')).exitCode, 0);
      t.equal((await machine('ls', '-q')).stdout, '');
      t.not((await machine('status', 'dev')).exitCode, 0);
    });
  },
);
