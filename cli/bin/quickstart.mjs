// From a fresh clone to a first running container: installs what is missing, builds, creates the machine
// "dev", runs a container in it and says what to type next. Safe to run again.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages, ensurePrograms } from './requirements.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const name = process.env.MACHINE_NAME ?? 'dev';

ensurePackages(root);
if ((await ensurePrograms(['qemu'])).length > 0) process.exit(3);
await import('./build.mjs');

if (capture('status', name) === null) run('create', name);
else run('start', name);
console.error('\n$ docker run --rm busybox echo hello from a container');
run('docker', '--machine', name, 'run', '--rm', 'busybox', 'echo', 'hello from a container');
console.error(`
It works. Type next:
  eval "$(npx machine env ${name})"     # then plain docker commands
  docker run -it --rm busybox sh       # or: npx machine docker run -it --rm busybox sh
  npx machine ls
  npx machine stop ${name}               # and: npx machine rm ${name}`);

function machine(args, stdio) {
  return spawnSync(process.execPath, [join(root, 'cli', 'bin', 'machine.mjs'), ...args], {
    stdio,
    encoding: 'utf8',
  });
}

/** Standard output of a command, or null when it fails. */
function capture(...args) {
  const { status, stdout } = machine(args, ['ignore', 'pipe', 'ignore']);
  return status === 0 ? stdout.trim() : null;
}

function run(...args) {
  const { status } = machine(args, 'inherit');
  if (status !== 0) process.exit(status ?? 1);
}
