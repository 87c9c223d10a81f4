import { Internal } from '../../errors.ts';

/** Pairs undo each other; the last one counts. */
const flagGroups: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['exec', 'noexec'],
  ['sync', 'async'],
  ['dirsync'],
  ['remount'],
  ['mand', 'nomand'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
  ['relatime', 'norelatime'],
  ['strictatime', 'nostrictatime'],
  ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'],
];
const values = ['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol'];

/**
 * `--tmpfs /run:size=64m`: the user's words after Docker's own; of those that say the same the last one stays
 * (github.com/moby/sys/mount, MergeTmpfsOptions). Throws Internal in its words for one that tmpfs does not know.
 */
export function tmpfsOptions(asked: string): string[] {
  const words = ['noexec', 'nosuid', 'nodev', ...asked.split(',')].filter(
    (word) => word !== '' && word !== 'defaults',
  );
  const last = new Map(words.map((word, index) => [subjectOf(word), index]));
  return words.filter((word, index) => last.get(subjectOf(word)) === index);
}

/** Whether what is mounted on it is seen by whom else has it. */
export function isSharedTmpfs(asked: string): boolean {
  return tmpfsOptions(asked).some((word) => /^r?shared$/.test(word));
}

function subjectOf(word: string): string {
  const [name, value] = word.split('=', 2) as [string, string?];
  if (value !== undefined && values.includes(name)) return `${name}=`;
  const group = flagGroups.find((words) => words.includes(word));
  if (!group)
    throw new Internal(
      `invalid tmpfs option [${word
        .split('=')
        .map((part) => JSON.stringify(part))
        .join(' ')}]`,
    );
  return group[0]!;
}
