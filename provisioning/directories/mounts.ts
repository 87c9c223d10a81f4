import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, posix, resolve } from 'node:path';
import type { Driver } from '../../drivers/driver.ts';
import { InvalidArgument } from '../../drivers/errors.ts';
import type { MachineRecord } from '../machine-record.ts';

type Mounts = MachineRecord['Mounts'];

/** Of the guest's own: a directory there would hide what the machine needs. */
const reserved =
  /^\/$|^\/(bin|boot|etc|lib|lib64|opt|run|sbin|tmp|usr|var|usr\/(bin|lib|sbin|share)|var\/(lib|run))$|^\/(dev|proc|sys|run\/machine|var\/lib\/machine|opt\/machine)(\/|$)/;

/**
 * The directories that a new machine shares: what `--mount` said, the user's home when it said nothing, none for
 * `none`. Throws InvalidArgument for what cannot be shared.
 */
export async function mountsOf(
  driver: Pick<Driver, 'name' | 'openStream'>,
  wanted: readonly string[] | null,
  { home = homedir() }: { readonly home?: string } = {},
): Promise<Mounts> {
  if (driver.openStream === undefined) {
    if (wanted !== null && !isNone(wanted))
      throw new InvalidArgument(`--mount: machines of driver ${driver.name} cannot share directories`);
    return [];
  }
  // A service account may have a home such as "/", which is not worth an error.
  if (wanted === null)
    return isReserved(guestPath(home)) ? [] : [{ Host: home, Guest: guestPath(home), ReadOnly: false }];
  if (isNone(wanted)) return [];
  const mounts = wanted.map(parseMount);
  const guests = mounts.map(({ Guest }) => Guest);
  for (const { Host, Guest } of mounts) {
    const is = await stat(Host).catch(() => null);
    if (!is?.isDirectory()) throw new InvalidArgument(`--mount "${Host}": there is no such directory`);
    if (isReserved(Guest))
      throw new InvalidArgument(
        `--mount "${Host}": a machine has its own ${Guest}; put it elsewhere, as in --mount ${Host}:/mnt/host`,
      );
    if (guests.filter((other) => other === Guest).length > 1)
      throw new InvalidArgument(`--mount: two directories are to be at ${Guest}`);
  }
  // One below another is mounted after it.
  return mounts.sort((a, b) => a.Guest.split('/').length - b.Guest.split('/').length);
}

/** `HOST[:GUEST][:ro]`; HOST may begin with a drive letter, or be relative to the current directory. */
export function parseMount(text: string): Mounts[number] {
  const match = /^(?<host>(?:[A-Za-z]:(?=[\\/]))?[^:]+)(?::(?<guest>\/[^:]*))?(?::(?<access>ro|rw))?$/.exec(
    text,
  );
  if (match === null || /[\n\r]/.test(text))
    throw new InvalidArgument(`--mount "${text}": expected HOST[:GUEST][:ro], or none`);
  const { host, guest, access } = match.groups as { host: string; guest?: string; access?: string };
  const Host = resolve(host.replace(/^~(?=$|\/)/, homedir()));
  return { Host, Guest: guest === undefined ? guestPath(Host) : clean(guest), ReadOnly: access === 'ro' };
}

/** The same path in the guest; `C:\Users\me` is `/c/Users/me` there, as Docker's own clients for Windows have it. */
export function guestPath(host: string): string {
  const drive = /^([A-Za-z]):[\\/]/.exec(host);
  if (drive === null) return clean(isAbsolute(host) ? host : resolve(host));
  return clean(`/${drive[1]!.toLowerCase()}/${host.slice(3).replaceAll('\\', '/')}`);
}

function clean(path: string): string {
  return posix.normalize(path).replace(/(.)\/+$/, '$1');
}

function isReserved(path: string): boolean {
  return reserved.test(path);
}

function isNone(wanted: readonly string[]): boolean {
  return wanted.length === 1 && wanted[0] === 'none';
}
