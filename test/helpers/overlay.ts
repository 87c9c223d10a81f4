import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mount } from '../../guest/layers/snapshotter.ts';

/** The reason why this host cannot run tests that mount overlay, or false. */
export function noOverlay(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  const probe = spawnSync('unshare', ['--mount', 'true']);
  return probe.status === 0 ? false : 'needs mount namespaces';
}

/** Runs a shell script with a snapshot mounted as its working directory, in a mount namespace of its own. */
export function inMount(mount: Mount, script: string): string {
  const point = mkdtempSync(join(tmpdir(), 'machine-overlay-'));
  try {
    const options = mount.options.join(',');
    return execFileSync(
      'unshare',
      ['--mount', 'sh', '-ec', `cd "$1"; mount -t "$2" "$3" -o "$4" "$5"; cd "$5"; ${script}`, 'sh'].concat([
        mount.cwd ?? '/',
        mount.type,
        mount.source,
        options,
        point,
      ]),
      { encoding: 'latin1', maxBuffer: 64 * 1024 * 1024 },
    );
  } finally {
    rmdirSync(point);
  }
}

/** One line a file: path, type, mode, owner, link target; sorted. Without what every container's root has. */
export function listing(mount: Mount): string[] {
  const text = inMount(
    mount,
    `find . -mindepth 1 ! -path ./.dockerenv -printf '%P %y %m %U:%G %l\\n' | LC_ALL=C sort`,
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.trim());
}
