/**
 * What to do in a directory that `fillDirectory` (trees.ts) has filled: scripts of a guest's shell by what each is called, one
 * after the other. Nothing is cached before the first.
 */
export type Work = Readonly<Record<string, string>>;

export interface Sizes {
  /** Of a tree. */
  readonly files: number;
  /** Of one large file. */
  readonly largeMiB: number;
}

/** Where {@link gitTools} and `packages.tar` are in the guest. */
export const toolsDirectory = '/tmp/tools';

const git = `LD_LIBRARY_PATH=$(echo ${toolsDirectory}/usr/lib/*-linux-gnu) ${toolsDirectory}/usr/bin/git -c safe.directory=*`;
/** Replaced as npm does it: synced, then renamed over what is there. */
const writeLock =
  'dd if=/dev/zero of=.lock bs=64k count=4 conv=fsync 2>/dev/null; mv -f .lock node_modules/.package-lock.json';

export function worksOf({ files, largeMiB }: Sizes): readonly Work[] {
  return [
    { [`read ${largeMiB} MiB`]: 'cat large >/dev/null' },
    {
      [`write ${largeMiB} MiB, fsync`]: `dd if=/dev/zero of=new bs=1M count=${largeMiB} conv=fsync 2>/dev/null`,
    },
    { 'stat 500 files': 'i=1; while [ $i -le 500 ]; do [ -e many/$i ]; i=$((i+1)); done' },
    { 'read 500 files': 'cat many/* >/dev/null' },
    {
      'make and remove 100 files':
        'mkdir made; i=1; while [ $i -le 100 ]; do echo x >made/$i; i=$((i+1)); done; rm -r made',
    },
    {
      // Inode numbers are new to a cold cache, so git reads every file.
      [`git status, ${files} files, first`]: `${git} -C repository status --porcelain`,
      [`git status, ${files} files, again`]: `${git} -C repository status --porcelain`,
    },
    { [`find, ${files} files`]: 'find repository/package-* -type f -size +1 | wc -l' },
    { [`grep -r, ${files} files`]: 'grep -r nowhere repository/package-* || true' },
    {
      [`npm ci, unpack ${files} files`]: `tar xf ${toolsDirectory}/packages.tar; ${writeLock}`,
      [`npm ci, remove ${files} files`]: 'mv node_modules .node_modules-1; rm -r .node_modules-1',
    },
  ];
}
