import { chmod } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import type { Files, FoundFile } from './files.ts';
import { localFiles } from './local-files.ts';

export interface End {
  readonly files: Files;
  readonly path: string;
}

/**
 * Copies a file, or a directory with what is in it, as scp(1) does: into the target when that is a directory, links as what
 * they lead to, modes of what is made like those of the source. Throws FailedPrecondition for what cannot be copied.
 */
export async function copyFiles(
  from: End,
  to: End,
  { recursive }: { readonly recursive: boolean },
): Promise<void> {
  const source = await from.files.find(from.path);
  if (source === null)
    throw new FailedPrecondition(`${from.files.label(from.path)}: No such file or directory`);
  if (source.kind === 'directory' && !recursive)
    throw new FailedPrecondition(`${from.files.label(from.path)} is a directory; -r copies it`);
  const target = await to.files.find(to.path);
  if (target?.kind !== 'directory') return await copyTree(from, source, to, target);
  const path = to.files.join(to.path, from.files.basename(from.path));
  await copyTree(from, source, { ...to, path }, await to.files.find(path));
}

async function copyTree(from: End, source: FoundFile, to: End, target: FoundFile | null): Promise<void> {
  if (source.kind === 'other')
    throw new FailedPrecondition(`${from.files.label(from.path)} is neither a file nor a directory`);
  if (source.kind === 'file') return await copyFile(from, source, to, target);
  if (target === null) await to.files.makeDirectory(to.path, source.mode | 0o700);
  for (const name of await from.files.list(from.path)) {
    const inner = { ...from, path: from.files.join(from.path, name) };
    const found = await inner.files.find(inner.path);
    if (found === null)
      throw new FailedPrecondition(
        `${inner.files.label(inner.path)} has gone, or is a link that leads nowhere`,
      );
    const outer = { ...to, path: to.files.join(to.path, name) };
    await copyTree(inner, found, outer, target === null ? null : await to.files.find(outer.path));
  }
}

async function copyFile(from: End, { mode }: FoundFile, to: End, target: FoundFile | null): Promise<void> {
  if (from.files === localFiles && to.files.fast)
    await to.files.fast.put(from.path, to.path, target?.mode ?? mode);
  else if (to.files === localFiles && from.files.fast) {
    await from.files.fast.get(from.path, to.path);
    if (target === null) await chmod(to.path, mode & ~process.umask());
  } else await pipeline(from.files.read(from.path), to.files.write(to.path, target?.mode ?? mode));
}
