import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../helpers/run-command.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;
const noInit =
  (await runCommand('sh', ['-c', 'command -v docker-init || command -v tini-static'])).exitCode !== 0;

/** A `docker run --rm` without network, in the image busybox. */
const runner =
  (engine: EngineHarness) =>
  (options: readonly string[], ...command: readonly string[]) =>
    engine.output(['run', '--rm', '--network', 'none', ...options, 'busybox', ...command]);

t.test('--init is the first process, and reaps', { skip: skip || (noInit && 'no tini') }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = runner(engine);
  const orphan = '(sleep 0.01 &) ; while pidof sleep >/dev/null; do :; done; ps -o pid,stat,args';
  const processes = await run(['--init'], 'sh', '-c', orphan);
  t.match(processes, /^\s*1 SN?\s+\/sbin\/docker-init -- sh -c/m);
  t.notMatch(processes, /\sZ\s/);
  const write = await engine.docker(['run', '--rm', '--init', 'busybox', 'sh', '-c', '>/sbin/docker-init']);
  t.match(write, { exitCode: 1, stderr: /Read-only/ });
  t.equal(
    await run(['--init', '--pid', 'host'], 'sh', '-c', 'test -e /sbin/docker-init; echo $?'),
    '1\n',
    'there is one among those already',
  );
});

t.test("namespaces are own, shared, or the host's", { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = runner(engine);
  const start = (name: string, ...args: string[]) =>
    engine.output(['run', '-d', '--name', name, '--network', 'none', ...args]);
  await start('donor', '--ipc', 'shareable', '--shm-size', '8m', 'busybox', 'sleep', '1000');
  await engine.output(['exec', 'donor', 'sh', '-c', 'echo shared >/dev/shm/file']);
  t.equal(await run(['--ipc', 'container:donor'], 'cat', '/dev/shm/file'), 'shared\n');
  t.match(await run(['--ipc', 'container:donor'], 'df', '/dev/shm'), /\s8192\s/);
  t.match(await run(['--pid', 'container:donor'], 'ps'), /sleep 1000/);
  const joined = await engine.output(['create', '--pid', 'container:donor', 'busybox']);
  const id = (await engine.output(['inspect', '-f', '{{.Id}}', 'donor'])).trim();
  t.equal(
    await engine.output(['inspect', '-f', '{{.HostConfig.PidMode}}', joined.trim()]),
    `container:${id}\n`,
  );
  await start('private', 'busybox', 'sleep', '1000');
  const refused = async (options: readonly string[], stderr: RegExp) =>
    t.match(await engine.docker(['run', '--rm', '--network', 'none', ...options, 'busybox', 'true']), {
      exitCode: 125,
      stderr,
    });
  await refused(['--ipc', 'container:private'], /non-shareable IPC/);
  await refused(['--pid', 'container:nobody'], /No such container: nobody/);
  await refused(['--ipc', 'odd'], /invalid IPC mode: odd/);
  t.notMatch(await run(['--ipc', 'none'], 'ls', '/dev'), /shm/);
  t.equal(await run(['--uts', 'host'], 'hostname'), (await runCommand('hostname', [])).stdout);
  await run(['--userns', 'host'], 'true');
});

t.test('what confines a container can be chosen', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = runner(engine);
  const status = (option: string, field: string) =>
    run(['--security-opt', option], 'grep', `^${field}:`, '/proc/self/status');
  t.match(await status('no-new-privileges', 'NoNewPrivs'), /1$/m);
  t.match(await status('seccomp=unconfined', 'Seccomp'), /0$/m);
  const profile = join(engine.directory, 'profile.json');
  const syscalls = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }];
  writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }));
  const made = ['run', '--rm', '--security-opt', `seccomp=${profile}`, 'busybox', 'mkdir', '/x'];
  t.match(await engine.docker(made), { exitCode: 1, stderr: /No space left/ });
  // From the second on, if not before, they get the filter that was made for an earlier one.
  for (const name of ['first', 'second']) {
    const start = ['run', '-d', '--name', name, '--security-opt', `seccomp=${profile}`];
    const id = (await engine.output([...start, 'busybox', 'sleep', '1000'])).trim();
    const config = readFileSync(join(engine.runRoot, 'containers', id, 'config.json'), 'utf8');
    t.ok(name === 'first' || config.includes('run.oci.seccomp_bpf_data'));
    t.match(await engine.docker(['exec', name, 'mkdir', '/x']), { exitCode: 1, stderr: /No space left/ });
    t.equal(await engine.output(['exec', name, 'echo', 'fine']), 'fine\n');
  }
  t.match(await engine.docker(made), { exitCode: 1, stderr: /No space left/ });
  const masked = ['sh', '-c', 'grep -c " /proc/" /proc/mounts'];
  t.not(await run([], ...masked), '0\n');
  const unmasked = await engine.docker([
    ...['run', '--rm', '--security-opt', 'systempaths=unconfined', 'busybox', ...masked],
  ]);
  t.equal(unmasked.stdout, '0\n');
  t.match(await engine.docker(['create', '--security-opt', 'label=disable', 'busybox']), {
    exitCode: 0,
    stderr: /WARNING: Security labels/,
  });
});

t.test('limits, devices and kernel parameters reach the kernel', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = runner(engine);
  t.equal(await run(['--cpuset-cpus', '0'], 'nproc'), '1\n');
  t.equal(
    await run(['--ulimit', 'nofile=100:200', '--ulimit', 'core=-1'], 'sh', '-c', 'ulimit -n; ulimit -Hn'),
    '100\n200\n',
  );
  t.equal(await run(['--oom-score-adj', '500'], 'cat', '/proc/self/oom_score_adj'), '500\n');
  t.equal(await run(['--sysctl', 'net.core.somaxconn=77'], 'cat', '/proc/sys/net/core/somaxconn'), '77\n');
  t.equal(await run([], 'cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start'), '0\n');
  t.match(await run(['--device', '/dev/null:/dev/other:r'], 'ls', '-l', '/dev/other'), /1,\s+3/);
  t.equal(await run(['--group-add', 'nobody'], 'id', '-G'), '0 99\n');
  t.equal(await run(['--domainname', 'example'], 'cat', '/proc/sys/kernel/domainname'), 'example\n');

  const parent = `/he-${process.pid}/below`;
  const started = ['run', '-d', '--name', 'box', '--network', 'none', '--cgroup-parent', parent];
  await engine.output([...started, 'busybox', 'sleep', '1000']);
  const pid = (await engine.output(['inspect', '-f', '{{.State.Pid}}', 'box'])).trim();
  t.match((await runCommand('cat', [`/proc/${pid}/cgroup`])).stdout, new RegExp(`:${parent}/`));
  t.match(await engine.output(['top', 'box']), /sleep 1000/);
  await engine.output(['rm', '-f', 'box']);
  // As with dockerd, what was named by the user is the user's to remove.
  await runCommand('sh', [
    '-c',
    `find /sys/fs/cgroup -depth -path "*/he-${process.pid}*" -type d -exec rmdir {} +`,
  ]);

  const refused = async (options: readonly string[], stderr: RegExp) =>
    t.match(await engine.docker(['create', ...options, 'busybox']), { exitCode: 1, stderr });
  await refused(['--cpuset-cpus', '4000'], /Requested CPUs are not available/);
  await refused(['--network', 'host', '--sysctl', 'net.core.somaxconn=77'], /host network namespace/);
  await refused(['--oom-score-adj', '5000'], /range for oom score adj/);
  await refused(['--stop-signal', 'ODD'], /invalid signal: ODD/);
  await refused(['--runtime', 'odd'], /unknown or invalid runtime name: odd/);
  await refused(['--platform', 'linux/s390x'], /Unable to find image/);
});

t.test('--volumes-from gives the same volumes', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = runner(engine);
  await engine.output(['create', '--name', 'donor', '-v', '/anon', '-v', 'named:/named', 'busybox']);
  await run(['--volumes-from', 'donor'], 'sh', '-c', 'echo 1 >/anon/a; echo 2 >/named/b');
  t.equal(await run(['--volumes-from', 'donor:ro'], 'cat', '/anon/a', '/named/b'), '1\n2\n');
  const write = ['run', '--rm', '--volumes-from', 'donor:ro', 'busybox', 'touch', '/anon/a'];
  t.match(await engine.docker(write), { exitCode: 1, stderr: /Read-only/ });
  await engine.output(['create', '--name', 'heir', '--volumes-from', 'donor', 'busybox']);
  await engine.output(['rm', '-v', 'donor']);
  t.equal(await run(['--volumes-from', 'heir'], 'cat', '/anon/a'), '1\n', 'who still uses it keeps it');
});

t.test('an image, or a path in it, can be mounted', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const run = runner(engine);
  const mount = (more = '') => ['--mount', `type=image,src=busybox,dst=/image${more}`];
  t.match(await run(mount(), 'cat', '/image/etc/passwd'), /^root:/);
  t.match(await run(mount(',image-subpath=etc/passwd'), 'cat', '/image'), /^root:/);
  t.match(await run(mount(',image-subpath=etc'), 'ls', '/image'), /^group\npasswd\n/);
  const failed = async (args: readonly string[], stderr: RegExp) =>
    t.match(await engine.docker(['run', '--rm', ...args]), { stderr });
  await failed([...mount(), 'busybox', 'touch', '/image/file'], /Read-only/);
  await failed([...mount(',image-subpath=none'), 'busybox', 'true'], /cannot access path "none"/);
  await failed(['--mount', 'type=image,src=nowhere,dst=/image', 'busybox'], /No such image: nowhere/);
});
