import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Files } from './files.ts';

export const localFiles: Files = {
  async find(path) {
    const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
      throw error;
    });
    if (stats === null) return null;
    const kind = stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : 'other';
    return { kind, mode: stats.mode & 0o777 };
  },
  list: (path) => readdir(path),
  makeDirectory: async (path, mode) => void (await mkdir(path, { mode })),
  read: (path) => createReadStream(path),
  write: (path, mode) => createWriteStream(path, { mode }),
  join,
  basename: (path) => basename(resolve(path)),
  label: (path) => path,
};
