/** What QEMU can run guests with, by its names (`-accel`). */
export const accelerators = ['kvm', 'hvf', 'whpx', 'tcg'] as const;
export type Accelerator = (typeof accelerators)[number];
