import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { OsImageFiles } from '../driver.ts';
import { PreCreateError } from '../errors.ts';

/** The first with everything that the arguments use (`-action`, free page reporting, microsecond clocks). */
const oldestVersion = [6, 2] as const;

export interface QemuVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
}

export function emulatorName(arch: OsImageFiles['arch']): string {
  return { amd64: 'qemu-system-x86_64', arm64: 'qemu-system-aarch64' }[arch];
}

/** Full path of one of QEMU's programs. Throws PreCreateError saying what to type. */
export async function findProgram(
  name: string,
  env = process.env,
  platform = process.platform,
): Promise<string> {
  const file = platform === 'win32' ? `${name}.exe` : name;
  const directories = (env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  // The Windows installer does not touch PATH.
  if (platform === 'win32') directories.push(join(env.ProgramFiles ?? 'C:\\Program Files', 'qemu'));
  for (const directory of directories) {
    const path = join(directory, file);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new PreCreateError(`${name} was not found; to install QEMU: ${await installHint(platform)}`);
}

/** Throws PreCreateError when the program does not run or is too old. */
export async function checkVersion(program: string): Promise<QemuVersion> {
  const { promisify } = await import('node:util');
  const { stdout } = await promisify(execFile)(program, ['--version']).catch((cause: Error) => {
    throw new PreCreateError(`"${program}" does not run`, { cause });
  });
  const version = parseVersion(stdout);
  if (version === null) throw new PreCreateError(`"${program}" does not say which QEMU it is`);
  const [major, minor] = oldestVersion;
  if (version.major < major || (version.major === major && version.minor < minor))
    throw new PreCreateError(
      `QEMU ${version.text} is too old: ${major}.${minor} or newer is needed; ${await installHint(process.platform)}`,
    );
  return version;
}

export function parseVersion(output: string): QemuVersion | null {
  const match = /version (\d+)\.(\d+)(\.\d+)*/.exec(output);
  if (match === null) return null;
  return { text: match[0].slice('version '.length), major: Number(match[1]), minor: Number(match[2]) };
}

/** What to type on this system. */
async function installHint(platform: NodeJS.Platform): Promise<string> {
  if (platform === 'darwin') return 'brew install qemu';
  if (platform === 'win32') return 'winget install SoftwareFreedomConservancy.QEMU';
  const package_ = process.arch === 'arm64' ? 'qemu-system-arm' : 'qemu-system-x86';
  const managers = [
    ['/usr/bin/apt-get', `sudo apt-get install ${package_} qemu-utils`],
    ['/usr/bin/dnf', 'sudo dnf install qemu-system-x86-core qemu-img'],
    ['/usr/bin/pacman', 'sudo pacman -S qemu-base'],
    ['/usr/bin/zypper', 'sudo zypper install qemu qemu-img'],
    ['/sbin/apk', 'sudo apk add qemu-system-x86_64 qemu-img'],
  ] as const;
  for (const [path, command] of managers)
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return command;
  return 'use the package manager of this system';
}
