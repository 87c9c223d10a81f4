import { mkdir, rm } from 'node:fs/promises';
import { type BootConfig, bootConfigItem } from '../../guest/wire/index.ts';
import { writeFileAtomic } from '../write-file-atomic.ts';
import type { QemuPaths } from './paths.ts';

/** fw_cfg items by name: the whole boot config for the agent, and single values for shell scripts, which read no JSON. */
export function bootItems(bootConfig: string): Readonly<Record<string, string>> {
  const { hostname, ssh, directories, directoriesBy } = JSON.parse(bootConfig) as BootConfig;
  return {
    [bootConfigItem]: bootConfig,
    'opt/machine/hostname': `${hostname}\n`,
    'opt/machine/authorized_keys': ssh.authorizedKeys.map((key) => `${key.trim()}\n`).join(''),
    'opt/machine/ssh_host_key': `${ssh.hostKey.trim()}\n`,
    ...(directories.length > 0 && {
      'opt/machine/directories': directories
        .map(({ path, readonly }) => `${readonly ? 'ro' : 'rw'} ${path}\n`)
        .join(''),
      'opt/machine/directories-by': `${directoriesBy}\n`,
    }),
  };
}

/**
 * QEMU reads the items when it starts and holds them in memory, so the files, which have secrets, need to be
 * there only until then: dispose to remove them.
 */
export async function writeBootItems(
  paths: QemuPaths,
  items: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly files: Readonly<Record<string, string>> }> {
  await mkdir(paths.bootItems, { recursive: true, mode: 0o700 });
  const files: Record<string, string> = {};
  for (const [name, text] of Object.entries(items)) {
    files[name] = paths.bootItem(name.slice(name.lastIndexOf('/') + 1));
    await writeFileAtomic(files[name]!, text);
  }
  return {
    files,
    [Symbol.asyncDispose]: () => rm(paths.bootItems, { recursive: true, force: true }),
  };
}
