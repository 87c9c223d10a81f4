import { readFileSync } from 'node:fs';
import { InvalidParameter } from '../../errors.ts';

/** By number, linux/capability.h. */
export const allCapabilities = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE',
  'NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT',
  'SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE',
  'AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ',
  'PERFMON BPF CHECKPOINT_RESTORE',
]
  .join(' ')
  .split(' ')
  .map((name) => `CAP_${name}`);

/** Docker's default set (docs, "Runtime privilege and Linux capabilities"). */
const defaults = [
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT',
  'KILL AUDIT_WRITE',
]
  .join(' ')
  .split(' ')
  .map((name) => `CAP_${name}`);

export interface CapabilityWish {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}

/**
 * What a container's first process may hold: Docker's defaults, `--cap-add`, `--cap-drop` (`ALL` in either),
 * cut down to what this engine itself may give away. Throws InvalidParameter for an unknown name.
 */
export function containerCapabilities(wish: CapabilityWish, bounding: ReadonlySet<string>): string[] {
  const add = wish.add.map((name) => normalize(name, 'CapAdd'));
  const drop = wish.drop.map((name) => normalize(name, 'CapDrop'));
  const wanted = allCapabilities.filter((name) => {
    if (wish.privileged) return true;
    if (add.includes('CAP_ALL')) return !drop.includes(name);
    if (add.includes(name)) return true;
    return !drop.includes('CAP_ALL') && defaults.includes(name) && !drop.includes(name);
  });
  return wanted.filter((name) => bounding.has(name));
}

function normalize(name: string, field: 'CapAdd' | 'CapDrop'): string {
  const upper = name.toUpperCase();
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (full !== 'CAP_ALL' && !allCapabilities.includes(full))
    throw new InvalidParameter(`invalid ${field}: unknown capability: "${full}"`);
  return full;
}

/** The engine's own bounding set: nobody can give what he has not (capabilities(7)). */
export function boundingSet(status = readFileSync('/proc/self/status', 'utf8')): ReadonlySet<string> {
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return new Set(allCapabilities.filter((_, bit) => (mask >> BigInt(bit)) & 1n));
}
