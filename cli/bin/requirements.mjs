// What a fresh computer lacks, and how to get it. Plain JavaScript without packages: it runs before any
// package is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';

/** Host programs by name, with the package that brings each. `for` says who needs it. */
const programs = {
  qemu: {
    command: process.arch === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64',
    apt: [process.arch === 'arm64' ? 'qemu-system-arm' : 'qemu-system-x86', 'qemu-utils'],
    brew: ['qemu'],
    winget: ['SoftwareFreedomConservancy.QEMU'],
    dnf: [process.arch === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86', 'qemu-img'],
  },
  crun: { command: 'crun', apt: ['crun'] },
  nft: { command: 'nft', apt: ['nftables'] },
  ip: { command: 'ip', apt: ['iproute2'] },
  busybox: { command: '/bin/busybox', apt: ['busybox-static'] },
  socat: { command: 'socat', apt: ['socat'] },
  init: { command: 'tini-static', apt: ['tini'] },
  erofs: { command: 'fsck.erofs', apt: ['erofs-utils'] },
  skopeo: { command: 'skopeo', apt: ['skopeo'] },
  registry: { command: 'docker-registry', apt: ['docker-registry'] },
  htpasswd: { command: 'htpasswd', apt: ['apache2-utils'] },
  ssh: { command: 'ssh', apt: ['openssh-client'] },
  sshfs: { command: 'sshfs', apt: ['sshfs'] },
};

export function isInstalled(name) {
  const { command } = programs[name];
  const directories = (process.env.PATH ?? '').split(process.platform === 'win32' ? ';' : ':');
  const found = command.startsWith('/')
    ? [command]
    : [...directories, '/usr/sbin', '/sbin'].flatMap((d) => [join(d, command), join(d, `${command}.exe`)]);
  return found.some((path) => existsSync(path) && statSync(path).isFile());
}

/**
 * Installs what is missing of `names` with this computer's package manager; on a terminal it asks first.
 * Returns the names still missing, having said on stderr what to type for each.
 */
export async function ensurePrograms(names) {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return [];
  const commands = installCommands(missing);
  if (commands === null) {
    console.error(
      `missing: ${missing.map((n) => programs[n].command).join(', ')}; install them and try again`,
    );
    return missing;
  }
  for (const command of commands) {
    console.error(`$ ${command.join(' ')}`);
  }
  if (!(await agreed())) {
    console.error('nothing was installed; type the commands above yourself and try again');
    return missing;
  }
  for (const [program, ...args] of commands) {
    const { status } = spawnSync(program, args, {
      stdio: ['ignore', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status !== 0) {
      console.error(`"${program}" failed with exit code ${status}`);
      break;
    }
  }
  return names.filter((name) => !isInstalled(name));
}

function installCommands(missing) {
  const packages = (manager) => missing.flatMap((name) => programs[name][manager] ?? []);
  const sudo = process.getuid?.() === 0 ? [] : ['sudo'];
  if (process.platform === 'darwin')
    return packages('brew').length ? [['brew', 'install', ...packages('brew')]] : null;
  if (process.platform === 'win32') {
    return packages('winget').length
      ? packages('winget').map((id) => ['winget', 'install', '--exact', '--id', id])
      : null;
  }
  if (existsSync('/usr/bin/apt-get')) {
    return [
      [...sudo, 'apt-get', 'update', '-qq'],
      [...sudo, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages('apt')],
    ];
  }
  if (existsSync('/usr/bin/dnf') && packages('dnf').length) {
    return [[...sudo, 'dnf', 'install', '-y', ...packages('dnf')]];
  }
  return null;
}

async function agreed() {
  if (!process.stdin.isTTY || process.env.CI) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^(y|yes|)$/i.test((await prompt.question('install these now? [Y/n] ')).trim());
  } finally {
    prompt.close();
  }
}

/** Installs the npm packages of the lock file when they are absent or older than it. */
export function ensurePackages(root) {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  const current =
    existsSync(installed) &&
    existsSync(join(root, 'node_modules', '.bin', 'tsc')) &&
    sameVersions(JSON.parse(readFileSync(lock, 'utf8')), JSON.parse(readFileSync(installed, 'utf8')));
  if (current) return;
  console.error('$ npm ci');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`"npm ci" failed with exit code ${status}`);
}

/** Everything installed must be what the lock says; packages for other platforms may be absent. */
function sameVersions(lock, installed) {
  return Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .every(([path, { version, optional }]) => {
      const there = installed.packages?.[path];
      return there === undefined ? optional === true : there.version === version;
    });
}
