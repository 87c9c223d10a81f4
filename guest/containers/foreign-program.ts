import type { HostSystem } from '../host/system.ts';
import { formatPlatform, hostPlatform, matchesPlatform, type Platform } from '../images/platform.ts';
import { runnablePlatforms } from '../images/runnable-platforms.ts';
import { RuntimeError } from '../runtime/start-error.ts';

/** Whether nothing here runs programs of a platform, as far as is known: what an image says of itself may be wrong. */
export function lacksEmulator(
  platform: Platform | undefined,
  runnable: () => readonly Platform[] = runnablePlatforms,
): boolean {
  if (!platform || matchesPlatform(platform, hostPlatform)) return false;
  return !runnable().some((its) => matchesPlatform(its, platform));
}

/**
 * What the kernel calls a format error, said as what it is when a program is of an architecture that nothing here
 * runs, with what to type. Told by the kernel's verdict and not by the image's word alone: images with a wrong one run,
 * and containers of others can be made for their files.
 */
export function explainForeign(
  error: unknown,
  {
    platform,
    host,
  }: { readonly platform: Platform | undefined; readonly host: Pick<HostSystem, 'emulatorAdvice'> },
  runnable?: () => readonly Platform[],
): unknown {
  if (!(error instanceof RuntimeError) || !error.message.includes('exec format error')) return error;
  if (!platform || !lacksEmulator(platform, runnable)) return error;
  return new RuntimeError(
    `${error.message}: there is no emulator for ${formatPlatform(platform)} here; ${host.emulatorAdvice}`,
    error.exitCode,
  );
}
