/** SFTP version 3, draft-ietf-secsh-filexfer-02, and extensions of OpenSSH (its PROTOCOL, section 4). */
export const protocolVersion = 3;

export const request = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  extended: 200,
} as const;

export const response = {
  version: 2,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 201,
};

export const status = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
  /** Of version 5. Clients of ours take what they do not know for an I/O error, which is nearer than "not permitted". */
  noSpace: 14,
} as const;

export const openFlag = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

export const attributeFlag = {
  size: 1,
  owner: 2,
  permissions: 4,
  times: 8,
  extended: 0x80000000,
} as const;

/** Name and version, as the server announces them. `fsync` and `hardlink` need no version of their own. */
export const extensions = {
  'posix-rename@openssh.com': '1',
  'statvfs@openssh.com': '2',
  'hardlink@openssh.com': '1',
  'fsync@openssh.com': '1',
} as const;

/** What a client may send in one packet, its length field not counted: OpenSSH's own bound. */
export const maxPacketBytes = 256 * 1024;
/** Longest answer to a read. Clients ask again for the rest; sshfs takes no packet over 128 KiB. */
export const maxReadBytes = 64 * 1024;
