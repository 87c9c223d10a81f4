import { watch } from 'node:fs';

/** Resolves at the nth change of a directory's entries: where an engine is to be killed in its work. */
export function nthChange(directory: string, n: number): Promise<void> {
  return new Promise((resolve) => {
    let left = n;
    const watcher = watch(directory, () => {
      if (--left > 0) return;
      watcher.close();
      resolve();
    });
    watcher.unref();
  });
}
