/**
 * Names of the programs that a busybox binary can be, read from the table in the binary itself, since one of
 * another architecture cannot be run: texts in order that begin with `[` and `[[`, each ended by a zero.
 */
export function busyboxApplets(binary: Buffer): string[] {
  const start = binary.indexOf('[\0[[\0', 0, 'latin1');
  if (start < 0) throw new Error('no table of applets in this busybox');
  const names: string[] = [];
  for (let at = start; ; ) {
    const end = binary.indexOf(0, at);
    const name = binary.toString('latin1', at, end);
    const isSorted = names.length === 0 || names.at(-1)! < name;
    if (!isSorted || !/^[a-z0-9[][a-z0-9_.[-]*$/.test(name)) break;
    names.push(name);
    at = end + 1;
  }
  if (!names.includes('sh') || !names.includes('init'))
    throw new Error('the table of applets in this busybox could not be read');
  return names;
}
