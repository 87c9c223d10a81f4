import { resolve } from 'node:path';
import { InvalidArgument } from '../../drivers/errors.ts';

/** A file or directory: of a machine, or of this computer when `machine` is null. */
export interface Location {
  readonly machine: string | null;
  /** Null: the machine's usual one. */
  readonly user: string | null;
  /** Of a machine, relative to that user's home; may be empty. */
  readonly path: string;
}

/**
 * `[[user@]machine:]path`. As for scp(1), a colon behind a slash is part of a path; on Windows one letter before a colon is
 * a drive. Throws InvalidArgument.
 */
export function parseLocation(text: string, platform: NodeJS.Platform = process.platform): Location {
  const drive = platform === 'win32' && /^[A-Za-z]:/.test(text);
  const match = drive ? null : /^(?:([^@:/\\]+)@)?([^:/\\]*):(.*)$/s.exec(text);
  if (match === null) {
    if (text === '') throw new InvalidArgument('a path is empty; expected [[user@]machine:]path');
    return { machine: null, user: null, path: text };
  }
  const [, user = null, machine = '', path = ''] = match;
  if (machine === '') throw new InvalidArgument(`"${text}" names no machine; expected [[user@]machine:]path`);
  return { machine, user, path };
}

/** How programs of OpenSSH's family write it, with the name that a machine has in `sshConfig`. */
export function programLocation({ user, path }: Location, alias: string | null): string {
  // Neither a flag nor a machine, whatever is in it. A slash at the end means something to rsync.
  if (alias === null) return resolve(path).replace(/[^/\\]$/, path.endsWith('/') ? '$&/' : '$&');
  return `${user === null ? '' : `${user}@`}${alias}:${path}`;
}
