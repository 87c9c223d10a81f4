import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Runs the calling test file again in a network namespace of its own, and ends this process as that one
 * ended: links, rules and ports of the host are neither seen nor touched. Returns in the inner process.
 * Returns the reason when that cannot be, for the test to skip with.
 *
 * @param options `mounts`: of mounts too, so that files of the host can be replaced for the test
 */
export function enterOwnNetwork({ mounts = false }: { readonly mounts?: boolean } = {}): string | null {
  const inside = 'MACHINE_TEST_NETWORK';
  if (process.env[inside] !== undefined) return null;
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  for (const program of ['busybox', 'ip', 'nft']) {
    const found = (process.env.PATH ?? '')
      .split(':')
      .some((directory) => existsSync(`${directory}/${program}`));
    if (!found) return `needs ${program}`;
  }
  const script = 'ip link set lo up && exec "$@"';
  const { status } = spawnSync(
    'busybox',
    [
      'unshare',
      '-n',
      ...(mounts ? ['-m'] : []),
      'sh',
      '-c',
      script,
      'sh',
      process.execPath,
      ...process.execArgv,
      ...process.argv.slice(1),
    ],
    { stdio: 'inherit', env: { ...process.env, [inside]: '1' } },
  );
  process.exit(status ?? 1);
}
