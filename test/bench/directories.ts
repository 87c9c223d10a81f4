/**
 * Files of this computer in a machine, against a bare sshfs by SSH with OpenSSH's own server, in the same guest: single
 * operations, a large file, and what `git status`, `npm ci`, `find` and `grep -r` do in a tree.
 * Usage: node dist/test/bench/directories.js [rounds [sftp|virtiofs [files [MiB [only]]]]]; `only` is a part of works' names.
 * Needs git, ssh and Debian's openssh-sftp-server. Two rounds of 300 files and 16 MiB take ten minutes under emulation; with
 * KVM, say 2000 files and 64 MiB.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gitTools } from '../helpers/git-tools.ts';
import { virtiofsdEnvironment } from '../helpers/virtiofsd.ts';
import { MachineHarness } from '../system/machine-harness.ts';
import { toolsDirectory, type Work, worksOf } from './directory-works.ts';
import { row, spread } from './measure.ts';
import { fillDirectory, packagesTar } from './trees.ts';

const sftpServer = '/usr/lib/openssh/sftp-server';
const mountOptions =
  'passive,allow_other,no_contain_symlinks,dcache_timeout=1,attr_timeout=0.2,entry_timeout=0.5,max_read=65536,max_write=65536';
const [rounds = '2', type = 'sftp', files = '300', largeMiB = '16', only = ''] = process.argv.slice(2);
const sizes = { files: Number(files), largeMiB: Number(largeMiB) };
const works = worksOf(sizes).filter((work) => Object.keys(work).some((name) => name.includes(only)));
const harness = await MachineHarness.open(type === 'virtiofs' ? await virtiofsdEnvironment() : {});
const home = await realpath(await mkdtemp(join(tmpdir(), 'bench-')));
try {
  // One for each, since git remembers inode numbers in its index.
  for (const name of ['machine', 'bare']) await fillDirectory(join(home, name), sizes);
  const created = await harness.machine(['create', '--mount-type', type, '--mount', home, 'bench']);
  if (created.exitCode !== 0) throw new Error(created.stderr);
  const ssh = async (command: string, input: string | Buffer) => {
    const result = await harness.machine(['ssh', 'bench', command], { input, timeoutMs: 600_000 });
    if (result.exitCode !== 0) throw new Error(`in the guest: ${result.stderr}`);
    return result.stdout;
  };
  const guest = (script: string) => ssh('sh', script);
  await ssh(`mkdir ${toolsDirectory} && tar xf - -C ${toolsDirectory}`, await gitTools());
  await ssh(`cat >${toolsDirectory}/packages.tar`, packagesTar(sizes.files));

  // The server's pipes are the client's own: nothing of the bench is in between.
  const server = spawn(sftpServer, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const mount = `mkdir -p /tmp/bare && exec sshfs -f -o ${mountOptions} host:${home}/bare /tmp/bare`;
  const client = spawn(process.execPath, ['cli/bin/machine.mjs', 'ssh', 'bench', mount], {
    env: { ...process.env, ...harness.env },
    stdio: [server.stdout, server.stdin, 'inherit'],
  });
  while (!(await guest('grep -c "/tmp/bare fuse" /proc/mounts || true')).startsWith('1')) await delay(500);

  /** Milliseconds that each step takes. */
  const measure = async (directory: string, work: Work) => {
    const steps = Object.values(work).map(
      (script) => `read s _ </proc/uptime; { ${script}; } >/dev/null; read e _ </proc/uptime; echo $s $e`,
    );
    const settle = 'sync; echo 3 >/proc/sys/vm/drop_caches; sleep 3';
    const times = await guest(['set -e', `cd ${directory}`, settle, ...steps].join('\n'));
    return times
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
      .map(([start, end]) => (end! - start!) * 1000);
  };
  for (const work of works) {
    const times = { machine: [] as number[][], bare: [] as number[][] };
    for (let round = 0; round < Number(rounds); round++) {
      times.machine.push(await measure(join(home, 'machine'), work));
      times.bare.push(await measure('/tmp/bare', work));
    }
    for (const [step, name] of Object.keys(work).entries()) {
      const [machine, bare] = [times.machine, times.bare].map((all) => spread(all.map((one) => one[step]!)));
      console.log(row(`${name}: machine`, machine!));
      console.log(row(`${name}: bare sshfs`, bare!));
      console.log(`${name}: machine takes ${(machine!.median / bare!.median).toFixed(2)} of the time`);
    }
  }
  server.kill();
  client.kill();
} finally {
  await harness.close();
  await rm(home, { recursive: true });
}
