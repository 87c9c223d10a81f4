import { constants } from 'node:fs';

/** Go's bits of `os.FileMode` for each kind of file; a regular one has none (Go, io/fs, FileMode). */
const kinds: Readonly<Record<number, number>> = {
  [constants.S_IFDIR]: 2 ** 31,
  [constants.S_IFLNK]: 2 ** 27,
  [constants.S_IFBLK]: 2 ** 26,
  [constants.S_IFIFO]: 2 ** 25,
  [constants.S_IFSOCK]: 2 ** 24,
  [constants.S_IFCHR]: 2 ** 26 + 2 ** 21,
};

/** A mode of stat(2) as Go writes it in JSON. */
export function goFileMode(mode: number): number {
  const setuid = mode & 0o4000 ? 2 ** 23 : 0;
  const setgid = mode & 0o2000 ? 2 ** 22 : 0;
  const sticky = mode & 0o1000 ? 2 ** 20 : 0;
  return (mode & 0o777) + setuid + setgid + sticky + (kinds[mode & constants.S_IFMT] ?? 0);
}
