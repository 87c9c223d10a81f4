import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { fsPath } from './tar-entry.ts';

/** What the layers below show at a path: the merged view of overlay, read without mounting it. */
export type LowerNode =
  | { readonly kind: 'directory'; readonly stat: Stats }
  | { readonly kind: 'symlink'; readonly target: string }
  /** `file` is where it really is. */
  | { readonly kind: 'other'; readonly stat: Stats; readonly file: string };

export interface LowerView {
  /** @param path byte string relative to the root, with no symbolic link in it but the last part. */
  lookup(path: string): LowerNode | null;
  /** Names in a directory; none when it is no directory. */
  list(path: string): string[];
}

/** Below the first layer. */
export const emptyLower: LowerView = { lookup: () => null, list: () => [] };

/** @param layerDirs absolute directories of layers (each with `fs/`), top first */
export function lowerView(layerDirs: readonly string[]): LowerView {
  const opaque = new Map<string, ReadonlySet<string>>();
  const isOpaque = (layer: string, path: string) => {
    const paths = opaque.get(layer) ?? readOpaque(layer);
    opaque.set(layer, paths);
    return paths.has(path);
  };
  const opaqueRoot = layerDirs.findIndex((layer) => isOpaque(layer, '.'));
  const visible = opaqueRoot < 0 ? layerDirs : layerDirs.slice(0, opaqueRoot + 1);
  const find = (path: string): { node: LowerNode | null; merged: readonly string[] } => {
    let layers = visible;
    let node: LowerNode | null = null;
    const parts = path.split('/');
    for (let i = 1; i <= parts.length; i++) {
      if (node && node.kind !== 'directory') return { node: null, merged: [] };
      const prefix = parts.slice(0, i).join('/');
      const merged: string[] = [];
      node = null;
      for (const layer of layers) {
        const found = lookIn(layer, prefix);
        if (!found) continue;
        // Below a whiteout or anything that is not a directory, lower layers do not show.
        if (found === 'whiteout' || (found.kind !== 'directory' && node)) break;
        node ??= found;
        if (found.kind !== 'directory') break;
        merged.push(layer);
        if (isOpaque(layer, prefix)) break;
      }
      layers = merged;
    }
    return { node, merged: layers };
  };
  return {
    lookup: (path) => find(path).node,
    list(path) {
      const names = new Set(
        find(path).merged.flatMap((layer) => readdirSync(fsPath(`${layer}/fs/${path}`), 'latin1')),
      );
      return [...names].filter((name) => find(`${path}/${name}`).node);
    },
  };
}

function lookIn(layer: string, path: string): LowerNode | 'whiteout' | null {
  const file = `${layer}/fs/${path}`;
  const stat = lstatSync(fsPath(file), { throwIfNoEntry: false });
  if (!stat) return null;
  if (stat.isCharacterDevice() && stat.rdev === 0) return 'whiteout';
  if (stat.isDirectory()) return { kind: 'directory', stat };
  if (!stat.isSymbolicLink()) return { kind: 'other', stat, file };
  return { kind: 'symlink', target: readlinkSync(fsPath(file), 'latin1') };
}

/** Node cannot read attributes, so each layer lists its opaque directories in a file of its own. */
export const opaqueListFile = 'opaque';

function readOpaque(layer: string): ReadonlySet<string> {
  const list = join(layer, opaqueListFile);
  // Few layers have one, and an error takes longer to make than a look.
  return new Set(existsSync(list) ? readFileSync(list, 'latin1').split('\0') : []);
}
