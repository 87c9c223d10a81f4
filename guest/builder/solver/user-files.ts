import type { Digest } from '../../digest.ts';
import { readRootfsFile } from '../../runtime/spec/rootfs-file.ts';
import type { BuildRun } from './build-run.ts';

/** What the files of a stage know of users and groups; empty for a stage without files. */
export function userFiles(build: BuildRun, chainId: Digest | null): { passwd: string; group: string } {
  if (!chainId) return { passwd: '', group: '' };
  const files = build.deps.snapshotter.view(chainId);
  return { passwd: readRootfsFile(files, 'etc/passwd'), group: readRootfsFile(files, 'etc/group') };
}
