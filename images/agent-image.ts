import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { addOverlay, overlayFingerprint, readOverlay } from './boot-files.ts';
import { writeErofs } from './erofs/write-erofs.ts';
import { digestOf, hexOf } from './inputs-digest.ts';
import type { ImagePaths } from './paths.ts';
import { imageTime, recipeVersion } from './recipe.ts';
import { FileTree } from './tree/file-tree.ts';

/**
 * The second read-only image, mounted at /opt/machine: the agent's files and the first container image. Made
 * within a moment, so that a changed agent leaves the large image as it is. Idempotent; returns its path.
 */
export async function ensureAgentImage(
  image: ImagePaths,
  agentDirectory: string,
  signal?: AbortSignal,
): Promise<string> {
  const [files, busyboxImage] = await Promise.all([
    readOverlay(agentDirectory),
    readFile(image.busyboxImage),
  ]);
  const busyboxHash = createHash('sha256').update(busyboxImage).digest('hex');
  const hex = hexOf(digestOf([recipeVersion, imageTime, overlayFingerprint(files), busyboxHash]));
  const path = image.agent(hex);
  if (await exists(path)) return path;
  const tree = new FileTree();
  addOverlay(tree, files);
  tree.file('/images/busybox.tar', busyboxImage);
  // Two calls at once make the same bytes, so that whichever is named last does no harm.
  const part = `${path}.${randomUUID()}.part`;
  try {
    const uuid = Buffer.from(hex, 'hex').subarray(0, 16);
    await writeErofs({
      tree,
      path: part,
      buildTime: imageTime,
      uuid,
      ...(signal === undefined ? {} : { signal }),
    });
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  return path;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
