import type { Driver } from './driver.ts';
import { InvalidArgument } from './errors.ts';

/** Loading a driver loads its code only: `machine ls` with one fake machine never reads the qemu driver. */
const drivers: Readonly<Record<string, () => Promise<Driver>>> = {
  qemu: async () => new (await import('./qemu/driver.ts')).QemuDriver(),
  none: async () => new (await import('./none/driver.ts')).NoneDriver(),
  fake: async () => new (await import('./fake/driver.ts')).FakeDriver(),
};

/** For help texts and completion, in the order to show. */
export const driverNames: readonly string[] = Object.keys(drivers);

export const defaultDriver = 'qemu';

/** Throws InvalidArgument when no driver has this name. */
export async function loadDriver(name: string): Promise<Driver> {
  const load = Object.hasOwn(drivers, name) ? drivers[name] : undefined;
  if (load === undefined)
    throw new InvalidArgument(`no driver "${name}"; there are ${driverNames.join(', ')}`);
  return load();
}
