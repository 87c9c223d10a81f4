import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { Internal } from '../errors.ts';
import { run } from '../host/exec.ts';
import type { Mount } from '../layers/snapshotter.ts';

const script = `
cd "$2" && mount -i -t "$3" -o "$5" "$4" "$1" && echo mounted && read -r _
`;

export interface MountedRootfs extends AsyncDisposable {
  /** Reached through the helper's /proc directory. Never follow a link of the container's below it. */
  readonly path: string;
  /** Shows `source` at a place below {@link path}; the place is an open descriptor's path in /proc. */
  bind(source: string, target: string, options: { readonly recursive: boolean }): Promise<void>;
  /** Nothing can be written any more through what is mounted at the place. */
  makeReadonly(target: string): Promise<void>;
}

/**
 * Shows a snapshot's files while no container runs on it. Mounted in a namespace of a helper process, so
 * that neither a crash of ours nor a monitor that starts meanwhile keeps the mount.
 */
export async function mountRootfs(mount: Mount, directory: string): Promise<MountedRootfs> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const words = [directory, mount.cwd ?? '/', mount.type, mount.source, mount.options.join(',')];
  const helper = spawn(
    'busybox',
    ['unshare', '-m', '--propagation', 'slave', 'busybox', 'sh', '-c', script, 'mounted-rootfs', ...words],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const said: Buffer[] = [];
  helper.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const exited = once(helper, 'exit');
  const dispose = async () => {
    helper.stdin.end();
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  const ready = await Promise.race([once(helper.stdout, 'data'), exited.then(() => null)]);
  if (!ready) {
    await dispose();
    throw new Internal(`cannot mount the container's file system: ${Buffer.concat(said).toString().trim()}`);
  }
  // busybox's mount takes the target as it is given; util-linux's would look for its name first.
  const mountInside = async (...args: string[]) => {
    await run('busybox', ['nsenter', '-t', `${helper.pid}`, '-m', 'busybox', 'mount', ...args]);
  };
  return {
    path: `/proc/${helper.pid}/root${directory}`,
    bind: (source, target, { recursive }) => mountInside('-o', recursive ? 'rbind' : 'bind', source, target),
    makeReadonly: (target) => mountInside('-o', 'remount,bind,ro', 'none', target),
    [Symbol.asyncDispose]: dispose,
  };
}
