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

/** What `--mount` or `--add-mount` said. */
export interface WantedMounts {
  /** Besides those that the machine has. One at the same path takes the place of what was there. */
  readonly add: boolean;
  /** Each as {@link parseMount} takes it; `none` by itself is none, and so is an empty list. */
  readonly mounts: readonly string[];
}

/**
 * The directories that a machine shares from now on: `before` when nothing is wanted; a new machine, which has none before
 * (null), then shares the user's home. Throws InvalidArgument for what cannot be shared.
 */
export async function mountsOf(
  driver: Pick<Driver, 'name' | 'openStream'>,
  wanted: WantedMounts | null,
  { before = null, home = homedir() }: { readonly before?: Mounts | null; readonly home?: string } = {},
): Promise<Mounts> {
  const none = wanted !== null && isNone(wanted.mounts);
  if (driver.openStream === undefined) {
    if (wanted !== null && !none)
      throw new InvalidArgument(`--mount: machines of driver ${driver.name} cannot share directories`);
    return [];
  }
  if (wanted === null) return before ?? homeMount(home);
  const kept = wanted.add ? (before ?? []) : [];
  if (none) return kept;
  const mounts = wanted.mounts.map(parseMount);
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
  const all = [...kept.filter(({ Guest }) => !guests.includes(Guest)), ...mounts];
  // One below another is mounted after it.
  return all.sort((a, b) => a.Guest.split('/').length - b.Guest.split('/').length);
}

/** The flags that say just these directories, for what to type next. */
export function mountFlagsText(mounts: Mounts): string {
  if (mounts.length === 0) return '--no-mount';
  return mounts
    .map(({ Host, Guest, ReadOnly }) => {
      const value = [Host, ...(Guest === guestPath(Host) ? [] : [Guest]), ...(ReadOnly ? ['ro'] : [])].join(
        ':',
      );
      return `--mount ${/[^\w@%+=:,./~\\-]/.test(value) ? `"${value}"` : value}`;
    })
    .join(' ');
}

/** A service account may have a home such as "/", which is not worth an error. */
function homeMount(home: string): Mounts {
  return isReserved(guestPath(home)) ? [] : [{ Host: home, Guest: guestPath(home), ReadOnly: false }];
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
  return wanted.length === 0 || (wanted.length === 1 && wanted[0] === 'none');
}
