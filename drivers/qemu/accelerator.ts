import { access, constants, readFile, stat } from 'node:fs/promises';
import { arch, cpus, release } from 'node:os';
import { dirname, join } from 'node:path';
import type { OsImageFiles } from '../driver.ts';
import { writeFileAtomic } from '../write-file-atomic.ts';
import type { Accelerator } from './accelerators.ts';
import { type ProbeResult, probe } from './probe.ts';

/** What to use and why, in a sentence for `machine inspect`. */
export interface Acceleration {
  readonly name: Accelerator;
  readonly reason: string;
}

export interface ChooseOptions {
  readonly wanted: Accelerator | 'auto';
  readonly emulator: string;
  readonly osImage: OsImageFiles;
  readonly signal: AbortSignal;
  readonly onProgress?: ((message: string) => void) | undefined;
}

/** This computer, as far as the choice depends on it. */
export interface Host {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Why the device cannot be used; null when it can. */
  kvmProblem(): Promise<string | null>;
  probe(options: ChooseOptions, accelerator: Accelerator): Promise<ProbeResult>;
}

const thisHost: Host = { platform: process.platform, arch: arch(), kvmProblem, probe: cachedProbe };

/**
 * Acceleration is believed only when it has booted our kernel: `/dev/kvm` may exist and yet hang or abort
 * (nested, restricted, or another hypervisor's). TCG always works and is not probed.
 */
export async function chooseAcceleration(
  options: ChooseOptions,
  host: Host = thisHost,
): Promise<Acceleration> {
  const { wanted, osImage } = options;
  if (wanted !== 'auto') return { name: wanted, reason: 'asked for by --qemu-accel' };
  const emulated = (reason: string): Acceleration => ({ name: 'tcg', reason });
  if ((host.arch === 'x64' ? 'amd64' : host.arch) !== osImage.arch)
    return emulated(`this computer is ${host.arch}, the OS image is ${osImage.arch}`);
  const candidate = ({ linux: 'kvm', darwin: 'hvf', win32: 'whpx' } as const)[host.platform as 'linux'];
  if (candidate === undefined) return emulated(`nothing faster is known on ${host.platform}`);
  if (candidate === 'kvm') {
    const problem = await host.kvmProblem();
    if (problem !== null) return emulated(problem);
  }
  const { works, detail } = await host.probe(options, candidate);
  return works
    ? { name: candidate, reason: `a probe booted our kernel with it ${detail}` }
    : emulated(`a probe could not boot our kernel with ${candidate}: ${detail}`);
}

async function kvmProblem(): Promise<string | null> {
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => null,
    (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT'
        ? 'there is no /dev/kvm'
        : 'this user may not open /dev/kvm (join the group kvm)',
  );
}

/** Once for each QEMU program, OS image (whose directory keeps the answer) and computer with its kernel. */
async function cachedProbe(options: ChooseOptions, accelerator: Accelerator): Promise<ProbeResult> {
  const { emulator, osImage, signal, onProgress } = options;
  const { size, mtimeMs } = await stat(emulator);
  const about = [emulator, size, mtimeMs, accelerator, process.platform, release(), cpus()[0]?.model];
  const { createHash } = await import('node:crypto');
  const key = createHash('sha256').update(JSON.stringify(about)).digest('hex').slice(0, 16);
  const file = join(dirname(osImage.kernel), `acceleration-${key}.json`);
  const known = await readFile(file, 'utf8').then(JSON.parse, () => null);
  if (typeof known?.works === 'boolean') return known as ProbeResult;
  onProgress?.(`trying whether ${accelerator} works here`);
  const result = await probe({ emulator, osImage, accelerator, signal });
  await writeFileAtomic(file, `${JSON.stringify(result)}\n`, { mode: 0o644 });
  return result;
}
