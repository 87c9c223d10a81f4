/** `./usr/bin/x` and `usr/bin/` as they are written in archives, as an absolute path without a slash at the end. */
export function entryPath(name: string): string {
  return `/${name.replace(/^\.?\/+/, '').replace(/\/+$/, '')}`;
}
