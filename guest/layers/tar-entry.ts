/**
 * One member of a tar archive. Names in archives are bytes in no known encoding, so every string here is a
 * *byte string*: one character a byte (Node's `latin1`). {@link fsPath} turns one into what `node:fs` takes.
 */
export interface TarEntry {
  /** As written in the archive: may be absolute, hold `..`, or end in `/`. Never empty, never with NUL. */
  readonly path: string;
  readonly type: EntryType;
  /** Bytes of payload that follow; 0 for all but files. */
  readonly size: number;
  /** The low twelve bits: permissions, setuid, setgid, sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970, maybe negative. */
  readonly mtimeNs: bigint;
  /** Target of a symbolic or hard link, else empty. */
  readonly linkPath: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Extended attributes, by name (`security.capability`). */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

export const entryTypes = ['file', 'hardlink', 'symlink', 'character', 'block', 'directory', 'fifo'] as const;
export type EntryType = (typeof entryTypes)[number];

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/** An entry from its essential members; owned by root, made at the beginning of 1970. */
export function tarEntry(members: Pick<TarEntry, 'path' | 'type' | 'mode'> & Partial<TarEntry>): TarEntry {
  return {
    size: 0,
    uid: 0,
    gid: 0,
    mtimeNs: 0n,
    linkPath: '',
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: noXattrs,
    ...members,
  };
}

/** A byte string as a path for `node:fs`, which would encode characters past ASCII as UTF-8. */
export function fsPath(bytes: string): string | Buffer {
  return /^[\0-\x7f]*$/.test(bytes) ? bytes : Buffer.from(bytes, 'latin1');
}

/** A byte string for people: UTF-8 where it is that. */
export function readable(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The byte string of ordinary text. */
export function byteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The time as `node:fs` takes it; a double loses about a quarter of a microsecond. */
export function entrySeconds({ mtimeNs }: TarEntry): number {
  return Number(mtimeNs / 1_000_000_000n) + Number(mtimeNs % 1_000_000_000n) / 1e9;
}

/**
 * The attributes that mean something inside a container and that the kernel takes on this kind of file.
 * Overlay's own are not among them: with them a tar would reach into directories it does not name.
 */
export function usableXattrs({ xattrs, type }: TarEntry): ReadonlyMap<string, Uint8Array> {
  if (xattrs.size === 0 || type === 'symlink') return noXattrs;
  return new Map([...xattrs].filter(([name]) => usable.test(name)));
}

const usable = /^(?:user\.(?!overlay\.)|trusted\.(?!overlay\.)|security\.(?:capability|ima|evm)$)/;
