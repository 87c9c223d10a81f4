/**
 * Files of this computer in a machine, against a bare sshfs by SSH with OpenSSH's own server, in the same guest:
 * 16 MB read and written, 500 small files read, a `stat` of 500 files as `git status` does, 100 files made and removed as `npm ci` does.
 * Usage: node dist/test/bench/directories.js [rounds [sftp|virtiofs]]   (needs Debian's openssh-sftp-server)
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { virtiofsdEnvironment } from '../helpers/virtiofsd.ts';
import { MachineHarness } from '../system/machine-harness.ts';
import { interleave, row } from './measure.ts';

const sftpServer = '/usr/lib/openssh/sftp-server';
const mountOptions =
  'passive,allow_other,no_contain_symlinks,dcache_timeout=1,attr_timeout=0.2,entry_timeout=0.5,max_read=65536,max_write=65536';

/** Each is done in a directory that has `large` and `many/1` to `many/500`. */
const works = {
  'read 16 MB': 'cat large >/dev/null',
  'write 16 MB, fsync': 'dd if=/dev/zero of=new bs=1M count=16 conv=fsync 2>/dev/null',
  'read 500 files': 'cat many/* >/dev/null',
  'stat 500 files': 'i=1; while [ $i -le 500 ]; do [ -e many/$i ]; i=$((i+1)); done',
  'make and remove 100 files':
    'mkdir made; i=1; while [ $i -le 100 ]; do echo x >made/$i; i=$((i+1)); done; rm -r made',
};

const rounds = Number(process.argv[2] ?? 3);
const type = process.argv[3] ?? 'sftp';
const harness = await MachineHarness.open(type === 'virtiofs' ? await virtiofsdEnvironment() : {});
const home = await realpath(await mkdtemp(join(tmpdir(), 'bench-')));
try {
  await mkdir(join(home, 'many'));
  await writeFile(join(home, 'large'), randomBytes(16 * 1024 ** 2));
  for (let i = 1; i <= 500; i++) await writeFile(join(home, 'many', `${i}`), `${i}`);
  const created = await harness.machine(['create', '--mount-type', type, '--mount', home, 'bench']);
  if (created.exitCode !== 0) throw new Error(created.stderr);
  const guest = async (script: string) => {
    const { stdout, stderr, exitCode } = await harness.machine(['ssh', 'bench', 'sh'], { input: script });
    if (exitCode !== 0) throw new Error(`in the guest: ${stderr}`);
    return stdout;
  };

  await guest('true');
  const mount = `mkdir -p /tmp/bare && exec sshfs -f -o ${mountOptions} host:${home} /tmp/bare`;
  const client = spawn(process.execPath, ['cli/bin/machine.mjs', 'ssh', 'bench', mount], {
    env: { ...process.env, ...harness.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const server = spawn(sftpServer, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  client.stdout.pipe(server.stdin);
  server.stdout.pipe(client.stdin);
  while (!(await guest('grep -c "/tmp/bare fuse" /proc/mounts || true')).startsWith('1')) await delay(500);

  const done = (directory: string, work: string) => async () => {
    const script = `cd ${directory}; echo 3 >/proc/sys/vm/drop_caches; sleep 2
read s _ </proc/uptime; ${work}; read e _ </proc/uptime; awk "BEGIN { print ($e - $s) * 1000 }"`;
    return Number(await guest(script));
  };
  for (const [name, work] of Object.entries(works)) {
    const { machine, bare } = await interleave(rounds, {
      machine: done(home, work),
      bare: done('/tmp/bare', work),
    });
    console.log(row(`${name}: machine`, machine));
    console.log(row(`${name}: bare sshfs`, bare));
    console.log(`${name}: machine takes ${(machine.median / bare.median).toFixed(2)} of the time`);
  }
  server.kill();
  client.kill();
} finally {
  await harness.close();
  await rm(home, { recursive: true });
}
