import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostPlatform, matchesPlatform, type Platform } from './platform.ts';

const binfmt = '/proc/sys/fs/binfmt_misc';
/** Of kernels that run i386 programs, too (arch/x86/entry/vdso/vdso32-setup.c). */
const i386Sign = '/proc/sys/abi/vsyscall32';

/** Platforms whose programs run here: the processor's own, then those that have an emulator now. */
export function runnablePlatforms(): Platform[] {
  const native = [hostPlatform];
  if (hostPlatform.architecture === 'amd64' && existsSync(i386Sign)) native.push(linux('386'));
  const emulated = emulatedPlatforms(handlers()).filter(
    (platform) => !native.some((its) => matchesPlatform(its, platform)),
  );
  return [...native, ...emulated];
}

/** What the files of binfmt_misc say, each of one handler. Empty where it is not mounted. */
function handlers(): string[] {
  try {
    return readdirSync(binfmt)
      .filter((name) => name !== 'register' && name !== 'status')
      .map((name) => readFileSync(join(binfmt, name), 'utf8'));
  } catch {
    return [];
  }
}

/** e_ident[EI_CLASS], e_ident[EI_DATA] and e_machine of elf(5). */
const machines: Readonly<Record<string, readonly Platform[]>> = {
  '1,1,3': [linux('386')],
  '2,1,21': [linux('ppc64le')],
  '2,2,22': [linux('s390x')],
  '1,1,40': [linux('arm', 'v7'), linux('arm', 'v6')],
  '2,1,62': [linux('amd64')],
  '2,1,183': [linux('arm64')],
  '2,1,243': [linux('riscv64')],
  '2,1,258': [linux('loong64')],
};

/**
 * By the magic number of each enabled handler, since names are anybody's choice. One without the flag F is not
 * counted: in containers it would not find its emulator (Documentation/admin-guide/binfmt-misc.rst).
 */
export function emulatedPlatforms(handlers: readonly string[]): Platform[] {
  return handlers.flatMap((text) => {
    const magic = Buffer.from(/^magic ([0-9a-f]+)$/m.exec(text)?.[1] ?? '', 'hex');
    const usable = /^enabled$/m.test(text) && /^flags: .*F/m.test(text) && /^offset 0$/m.test(text);
    if (!usable || magic.length < 20 || magic.toString('latin1', 0, 4) !== '\x7fELF') return [];
    const [bits, order] = [magic[4]!, magic[5]!];
    const machine = order === 2 ? magic.readUInt16BE(18) : magic.readUInt16LE(18);
    return machines[`${bits},${order},${machine}`] ?? [];
  });
}

function linux(architecture: string, variant?: string): Platform {
  return { os: 'linux', architecture, ...(variant && { variant }) };
}
