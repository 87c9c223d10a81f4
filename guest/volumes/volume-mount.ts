import { readFile } from 'node:fs/promises';
import { InvalidParameter } from '../errors.ts';
import { run } from '../host/exec.ts';

/** What options of the driver `local` ask for: mount(8)'s type, device and options. */
export interface VolumeMount {
  readonly type: string;
  readonly device: string;
  readonly options: string;
}

/**
 * Null without options: a plain directory. `fileSystems`: what the kernel has. Throws InvalidParameter for
 * an option or a file system that cannot be honoured.
 */
export function parseVolumeOptions(
  options: Readonly<Record<string, string>>,
  fileSystems: readonly string[],
): VolumeMount | null {
  const { type = '', device = '', o = '', ...unknown } = options;
  const [name] = Object.keys(unknown);
  if (name !== undefined) throw new InvalidParameter(`invalid option: "${name}"; known: type, device, o`);
  if (type === '' && device === '' && o === '') return null;
  const words = o.split(',');
  const isBind = words.includes('bind') || words.includes('rbind');
  if (device === '') throw new InvalidParameter('missing device in volume options');
  if (isBind) {
    if (!device.startsWith('/')) throw new InvalidParameter(`device "${device}" must be an absolute path`);
    return { type: 'none', device, options: o };
  }
  if (type === '') throw new InvalidParameter('missing "type" in volume options');
  if (!fileSystems.includes(type)) {
    throw new InvalidParameter(`this kernel has no file system "${type}"; it has ${fileSystems.join(', ')}`);
  }
  return { type, device, options: o };
}

/** Of /proc/filesystems: those that a volume can be, loaded or built in. */
export async function kernelFileSystems(): Promise<string[]> {
  const text = await readFile('/proc/filesystems', 'utf8');
  const pseudo = /^nodev\t(?!tmpfs$|virtiofs$|9p$|nfs4?$|cifs$)/;
  return text
    .split('\n')
    .filter((line) => line !== '' && !pseudo.test(line))
    .map((line) => line.split('\t')[1]!)
    .sort();
}

/** Idempotent. Throws InvalidParameter with mount's own words when it fails. */
export async function mountVolume(mount: VolumeMount, directory: string): Promise<void> {
  if (await isMountPoint(directory)) return;
  const options = mount.options === '' ? [] : ['-o', mount.options];
  await run('mount', ['-t', mount.type, ...options, mount.device, directory]).catch((cause) => {
    throw new InvalidParameter(`failed to mount local volume: ${cause.message}`, { cause });
  });
}

/** Idempotent. */
export async function unmountVolume(directory: string): Promise<void> {
  if (await isMountPoint(directory)) await run('umount', [directory]);
}

async function isMountPoint(directory: string): Promise<boolean> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  // proc(5): the fifth field is the mount point; volume names have nothing that is escaped there.
  return text.split('\n').some((line) => line.split(' ')[4] === directory);
}
