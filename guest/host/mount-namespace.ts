/**
 * On a host that is not all its own, the engine lives in a mount namespace of its own: what it mounts is
 * seen nowhere else and ends with it, and what the host mounts is seen here (propagation `slave`). No
 * container depends on it: a monitor has a mount namespace itself.
 */

const marker = 'MACHINE_MOUNT_NAMESPACE';

/**
 * crun refuses cgroup v1 in hybrid mode, and takes it for plain v1 when it does not see the v2 part. It starts
 * itself again from a read-only mount of its file, each time, so that no container can overwrite it
 * (CVE-2019-5736); here it is on one already, as in a machine, and starts in two thirds of the time.
 */
const enter = `
if [ "$(stat -f -c %T /sys/fs/cgroup)" = tmpfs ]; then umount /sys/fs/cgroup/unified 2>/dev/null; fi
crun=$(command -v crun) && mount --bind "$crun" "$crun" && mount -o remount,bind,ro "$crun"
exec "$@"
`;

/** Starts this program again inside, in the place of this process; returns only when we are inside already. */
export function enterMountNamespace(): void {
  if (process.env[marker]) {
    // Not for the programs that we start.
    delete process.env[marker];
    return;
  }
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const unshare = ['unshare', '-m', '--propagation', 'slave', 'sh', '-c', enter, 'sh', ...program];
  process.execve!('/usr/bin/env', ['env', ...unshare], { ...process.env, [marker]: '1' });
}
