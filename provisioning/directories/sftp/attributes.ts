import type { Stats } from 'node:fs';
import type { Owner } from '../owners/owner.ts';
import type { Fields, Packet } from './packets.ts';
import { attributeFlag } from './protocol.ts';

/** What a client wants to be so. Times in seconds since 1970. */
export interface WantedAttributes {
  readonly size?: number;
  readonly owner?: Owner;
  /** Permission bits with setuid, setgid and sticky; the type is dropped. */
  readonly mode?: number;
  readonly times?: { readonly accessed: number; readonly modified: number };
}

/** What a client is told of a file. */
export type Attributes = Pick<Stats, 'size' | 'uid' | 'gid' | 'mode' | 'atimeMs' | 'mtimeMs'>;

export function readAttributes(fields: Fields): WantedAttributes {
  const flags = fields.uint32();
  const has = (flag: number) => (flags & flag) !== 0;
  const wanted: WantedAttributes = {
    ...(has(attributeFlag.size) ? { size: fields.uint64() } : {}),
    ...(has(attributeFlag.owner) ? { owner: { uid: fields.uint32(), gid: fields.uint32() } } : {}),
    ...(has(attributeFlag.permissions) ? { mode: fields.uint32() & 0o7777 } : {}),
    ...(has(attributeFlag.times) ? { times: { accessed: fields.uint32(), modified: fields.uint32() } } : {}),
  };
  if (has(attributeFlag.extended)) {
    // Of no extension that was announced.
    for (let left = fields.uint32(); left > 0; left--) {
      fields.bytes();
      fields.bytes();
    }
  }
  return wanted;
}

const { size, owner, permissions, times } = attributeFlag;

/** Times have no fractions of a second and 32 bits in this version of the protocol. */
export function writeAttributes(packet: Packet, stats: Attributes): void {
  packet
    .uint32(size | owner | permissions | times)
    .uint64(stats.size)
    .uint32(stats.uid)
    .uint32(stats.gid)
    .uint32(stats.mode)
    .uint32(seconds(stats.atimeMs))
    .uint32(seconds(stats.mtimeMs));
}

function seconds(ms: number): number {
  return Math.min(Math.max(Math.floor(ms / 1000), 0), 2 ** 32 - 1);
}
