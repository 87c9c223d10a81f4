import { availableParallelism, totalmem } from 'node:os';
import type { CreateRequest, DriverOption } from '../driver.ts';
import { numberOption, wordOption } from '../options.ts';
import { type Accelerator, accelerators } from './accelerators.ts';

export const qemuOptions: readonly DriverOption[] = [
  {
    flag: 'qemu-memory',
    value: 'MIB',
    description: 'memory of the machine; what it does not use is given back',
    default: '2048',
    env: 'QEMU_MEMORY_SIZE',
  },
  {
    flag: 'qemu-cpu-count',
    value: 'N',
    description: 'number of processors',
    default: '2',
    env: 'QEMU_CPU_COUNT',
  },
  {
    flag: 'qemu-disk-size',
    value: 'MIB',
    description: 'most that the machine can keep; takes space only as it is used',
    default: '20480',
    env: 'QEMU_DISK_SIZE',
  },
  {
    flag: 'qemu-accel',
    value: 'NAME',
    description: `auto, or one of ${accelerators.join(', ')} without a probe`,
    default: 'auto',
    env: 'QEMU_ACCEL',
  },
];

export interface QemuSettings {
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly diskMiB: number;
  readonly accelWanted: Accelerator | 'auto';
}

/** Throws PreCreateError naming the flag and what fits. */
export function qemuSettings(
  options: CreateRequest['options'],
  host = { memoryMiB: Math.floor(totalmem() / 1024 ** 2), cpus: availableParallelism() },
): QemuSettings {
  return {
    memoryMiB: numberOption(options, 'qemu-memory', { min: 256, max: host.memoryMiB, unit: 'MiB' }),
    // Two processors do no harm on a computer that has one, and are the default.
    cpus: numberOption(options, 'qemu-cpu-count', { min: 1, max: Math.max(2, host.cpus) }),
    diskMiB: numberOption(options, 'qemu-disk-size', { min: 512, max: 16 * 1024 ** 2, unit: 'MiB' }),
    accelWanted: wordOption(options, 'qemu-accel', ['auto', ...accelerators]),
  };
}
