import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether this computer's hosts file has a name. */
export async function isInHostsFile(name: string): Promise<boolean> {
  const path =
    process.platform === 'win32'
      ? join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'drivers', 'etc', 'hosts')
      : '/etc/hosts';
  return hostsFileNames(await readFile(path, 'utf8').catch(() => '')).has(name);
}

/** hosts(5): an address, then names, up to a comment. In lower case. */
export function hostsFileNames(text: string): Set<string> {
  return new Set(
    text
      .toLowerCase()
      .split(/\r?\n/)
      .flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1)),
  );
}
