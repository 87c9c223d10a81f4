import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The full path of a program, or its bare name when it is nowhere in PATH (then running it says so). A shell of
 * busybox takes its own applet for a bare name: its `ip` is another program than iproute2's.
 */
export function programPath(name: string, path = process.env.PATH ?? ''): string {
  for (const directory of [...path.split(delimiter), '/usr/sbin', '/sbin', '/usr/bin', '/bin']) {
    const file = join(directory, name);
    if (directory !== '' && isExecutable(file)) return file;
  }
  return name;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
