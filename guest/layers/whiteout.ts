import { InvalidParameter } from '../errors.ts';
import { readable } from './tar-entry.ts';

/**
 * Deleted files in layers (OCI image spec, layer.md, "Whiteouts"): in a tar `.wh.NAME` deletes NAME of the
 * layers below and `.wh..wh..opq` deletes everything below in its directory; in an overlay directory these
 * are a character device 0/0 and an attribute.
 */
export const whiteoutPrefix = '.wh.';
export const opaqueMarker = '.wh..wh..opq';
export const opaqueXattr = 'trusted.overlay.opaque';

export type Whiteout =
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'opaque' }
  /** Bookkeeping of the old aufs driver, which means nothing to others. */
  | { readonly kind: 'aufs' };

/** What a file name of a tar means; null for an ordinary name. Throws InvalidParameter for `.wh...`. */
export function parseWhiteout(name: string): Whiteout | null {
  if (!name.startsWith(whiteoutPrefix)) return null;
  if (name === opaqueMarker) return { kind: 'opaque' };
  if (name.startsWith('.wh..wh.')) return { kind: 'aufs' };
  const deleted = name.slice(whiteoutPrefix.length);
  if (deleted === '' || deleted === '.' || deleted === '..') {
    throw new InvalidParameter(`malformed layer: whiteout "${readable(name)}" names no file`);
  }
  return { kind: 'delete', name: deleted };
}

/** Overlay's own attributes, which belong to no layer. */
export function isOverlayXattr(name: string): boolean {
  return name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.');
}
