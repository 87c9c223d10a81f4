import type { Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import type { HostChanges } from '../../../guest/wire/index.ts';
import { type Pending, parentOf } from './pending-changes.ts';
import type { ToldStates } from './told-states.ts';

const setUser = 0o4000;
const setGroup = 0o2000;

/** Who runs virtiofsd. */
export interface HostUser {
  readonly uid: number;
  readonly groups: readonly number[];
}

export interface AttributeNewsOptions {
  readonly told: ToldStates;
  readonly hostPath: (path: string) => Buffer | null;
  readonly user: HostUser;
}

type News = Pick<HostChanges, 'gone' | 'directories' | 'files'>;

/**
 * What a machine that has its directories by virtiofs is to be told of what is pending: each file and directory that is not as
 * it was told before. What has gone is told by its directory, and so is what cannot be told by itself.
 */
export async function attributeNews(
  { paths, collapsed }: Pending,
  { told, hostPath, user }: AttributeNewsOptions,
): Promise<News> {
  const gone: string[] = [];
  const files: string[] = [];
  const directories = new Set<string>();
  const statsAt = async (path: string) => {
    const host = hostPath(path);
    return host === null ? null : await lstat(host).catch(() => null);
  };
  /** Whether the directory is news. `isOther`: for sure. */
  const noteDirectory = async (path: string, isOther: boolean) => {
    const stats = await statsAt(path);
    if (!stats?.isDirectory() || !told.isNews(path, stats, isOther)) return false;
    if (takesMode(stats, user)) directories.add(path);
    return true;
  };
  for (const [path, { renamed }] of paths) {
    const stats = await statsAt(path);
    // Of a directory whose attributes have changed, the system may say what it says of one that is new.
    let isRenamed = renamed;
    if (stats === null) {
      told.forget(path);
      if (renamed) gone.push(path);
    } else if (stats.isDirectory()) isRenamed = (await noteDirectory(path, false)) && renamed;
    else if (told.isNews(path, stats, renamed)) {
      if (takesMode(stats, user)) files.push(path);
      else await noteDirectory(parentOf(path), true);
    }
    // A watch also says of a directory by its own name that it has changed itself.
    if (stats === null || isRenamed) await noteDirectory(parentOf(path), isRenamed);
  }
  for (const path of collapsed) await noteDirectory(path, true);
  return { gone, directories: [...directories], files };
}

/**
 * Whether setting the mode that it has changes nothing else; pure. A user can set it only of what is the user's own, and loses
 * the bit for a group that the user is not in. Setting that of a symbolic link would be that of what it leads to.
 */
export function takesMode(
  stats: Pick<Stats, 'uid' | 'gid' | 'mode' | 'isFile' | 'isDirectory'>,
  { uid, groups }: HostUser,
): boolean {
  if (!stats.isFile() && !stats.isDirectory()) return false;
  if (uid === 0) return true;
  if (stats.uid !== uid) return false;
  if (stats.isFile() && (stats.mode & setUser) !== 0) return false;
  return (stats.mode & setGroup) === 0 || groups.includes(stats.gid);
}
