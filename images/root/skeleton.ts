import { codename } from '../recipe.ts';
import type { FileTree } from '../tree/file-tree.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;

const group = `root:x:0:
daemon:x:1:
tty:x:5:
disk:x:6:
kmem:x:15:
fuse:x:102:
docker:x:999:
nogroup:x:65534:
`;

const nsswitch = `passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
`;

const directories = {
  '/boot': 0o755,
  '/data': 0o755,
  '/dev': 0o755,
  '/home': 0o755,
  '/mnt': 0o755,
  '/opt/machine': 0o755,
  '/proc': 0o555,
  '/root': 0o700,
  '/run': 0o755,
  '/srv': 0o755,
  '/sys': 0o555,
  '/tmp': 0o1777,
  '/var/cache': 0o755,
  '/var/lib': 0o755,
  '/var/lib/machine': 0o700,
  '/var/log': 0o755,
  '/var/spool': 0o755,
  '/var/tmp': 0o1777,
} as const;

/** What maintainer scripts and the base-files package would have made. Packages are unpacked over it. */
export function addSkeleton(tree: FileTree, distributionVersion: string): void {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    tree.directory(`/usr/${name}`);
    tree.symlink(`/${name}`, `usr/${name}`);
  }
  for (const [path, mode] of Object.entries(directories)) tree.directory(path, mode);
  tree.symlink('/var/run', '/run');
  tree.symlink('/var/lock', '/run/lock');
  tree.file('/etc/passwd', passwd);
  tree.file('/etc/group', group);
  tree.file('/etc/shadow', 'root:*:20000::::::\n', 0o600);
  tree.file('/etc/nsswitch.conf', nsswitch);
  tree.file('/etc/shells', '/bin/sh\n/bin/ash\n');
  tree.file('/etc/os-release', osRelease(distributionVersion));
  // Found out or given when the guest boots; the root cannot be written to.
  for (const name of ['hostname', 'hosts', 'resolv.conf']) tree.symlink(`/etc/${name}`, `/run/etc/${name}`);
  tree.symlink('/etc/mtab', '/proc/self/mounts');
  tree.symlink('/etc/localtime', '/run/etc/localtime');
}

/** Debian's own, with the variant named (os-release(5)). */
function osRelease(version: string): string {
  return `PRETTY_NAME="Debian GNU/Linux ${version} (${codename}), machine OS image"
NAME="Debian GNU/Linux"
ID=debian
VERSION_ID="${version.split('.')[0]}"
VERSION="${version} (${codename})"
VERSION_CODENAME=${codename}
VARIANT="machine OS image"
VARIANT_ID=machine
`;
}
