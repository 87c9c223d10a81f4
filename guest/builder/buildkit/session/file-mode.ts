/** Bits of Go's os.FileMode (Go, io/fs, FileMode); `guest/layers/go-file-mode.ts` is the way there. */
const bits = {
  directory: 2 ** 31,
  link: 2 ** 27,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  sticky: 2 ** 20,
} as const;

/** Devices, FIFOs, sockets, and what is irregular. */
const other = 2 ** 26 + 2 ** 25 + 2 ** 24 + 2 ** 21 + 2 ** 19;

export type FileKind = 'file' | 'directory' | 'link' | 'other';

export function fileKind(goMode: number): FileKind {
  if (has(goMode, bits.directory)) return 'directory';
  if (has(goMode, bits.link)) return 'link';
  return (goMode & other) !== 0 ? 'other' : 'file';
}

/** Permissions, setuid, setgid and sticky, as chmod(2) takes them. */
export function unixMode(goMode: number): number {
  const special =
    (has(goMode, bits.setuid) ? 0o4000 : 0) +
    (has(goMode, bits.setgid) ? 0o2000 : 0) +
    (has(goMode, bits.sticky) ? 0o1000 : 0);
  return special + (goMode & 0o777);
}

/** JavaScript's `&` is of 32 bits with a sign. */
function has(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}
