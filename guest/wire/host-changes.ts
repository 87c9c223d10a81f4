/**
 * `GET /machine/changes` with `Upgrade: machine-changes`, for the host in front: JSON lines both ways. The engine says
 * which of the host's directories running containers have ({@link WatchedPaths}), at once and whenever that is others. The
 * host says what has changed there by other hands than the machine's ({@link HostChanges}); it says the next after the
 * answer ({@link ChangesTold}).
 *
 * Paths are those of the host's SFTP server: `/0/project/file` is in the first of {@link BootConfig.directories}. Each
 * character is one byte of the name, so that names in any encoding pass.
 */
export const hostChangesProtocol = 'machine-changes';

export interface WatchedPaths {
  readonly watched: readonly string[];
}

export interface HostChanges {
  readonly serial: number;
  /** What is not there any more. */
  readonly gone: readonly string[];
  /**
   * Of that, what is gone from a directory that is still there. Programs hear of it when the engine moves the i-th to
   * `gone` in the directory SERIAL.i of {@link noticeDirectory}, and removes it there; the host's SFTP server has that
   * only for this, until it is told.
   */
  readonly departed: readonly string[];
  /** Directories that are new. The engine moves the i-th from `new` in SERIAL.newi to where it is. */
  readonly arrived: readonly string[];
  /** Directories whose entries have changed, or they themselves. */
  readonly directories: readonly string[];
  /** Files that were written or made, and everything else that is no directory. */
  readonly files: readonly string[];
}

export interface ChangesTold {
  readonly told: number;
}

/** In the root of the host's SFTP server, which does not list it: of no directory of the host. */
export const noticeDirectory = '.notice';

/**
 * A modification time that nobody means: setting it is how the engine makes the kernel tell programs of a change, and the
 * host's SFTP server does nothing about it (seconds; in 2028).
 */
export const noticeTime = 0x6d616368;
