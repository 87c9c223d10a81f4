import type { HostShare } from '../../driver.ts';

export interface DaemonConfig {
  readonly share: HostShare;
  readonly socket: string;
  /** Of who runs the machine. */
  readonly uid: number;
  readonly gid: number;
}

const allIds = 2 ** 32 - 1;

/**
 * The command line of one virtiofsd; pure. It shuts itself into the directory (a mount namespace of its own, by default),
 * so no symbolic link leads out. A user who is not root owns all that is made, whoever made it in the guest; for root it
 * is as with a Docker engine on the computer itself, but without devices, which a guest could reach this computer by.
 */
export function daemonArgs({ share, socket, uid, gid }: DaemonConfig): string[] {
  const owners =
    uid === 0
      ? ['--modcaps=-mknod']
      : [
          ['--translate-uid', `squash-guest:0:${uid}:${allIds}`],
          ['--translate-gid', `squash-guest:0:${gid}:${allIds}`],
        ].flat();
  return [
    ...['--shared-dir', share.directory],
    ...['--socket-path', socket],
    ...['--log-level', 'warn'],
    ...(share.readonly ? ['--readonly'] : []),
    ...owners,
  ];
}
