import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Images } from './index.ts';

const doneKey = 'first_images_loaded';

/**
 * Takes in every `*.tar` of a directory at the first start on a data root; later starts do nothing, so an
 * image that was removed stays away. A start that is cut short begins again.
 */
export async function loadFirstImages(parts: Images, directory: string): Promise<void> {
  if (parts.db.prepare('SELECT 1 FROM meta WHERE key = ?').get(doneKey)) return;
  for (const name of await archivesIn(directory)) await parts.loadArchive(join(directory, name));
  parts.db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run(doneKey, new Date().toISOString());
}

async function archivesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.tar')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
