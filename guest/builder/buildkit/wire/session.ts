import { bytes, int, long, map, message, nested, text } from './message.ts';

/** What the client serves on its session: moby.filesync.v1, secrets, sshforward, upload. */

export const packetTypes = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;

/** fsutil.types.Stat: `mode` is Go's os.FileMode, `modTime` nanoseconds since 1970. */
export const Stat = message({
  path: text(1),
  mode: int(2),
  uid: int(3),
  gid: int(4),
  size: int(5),
  modTime: long(6),
  linkname: text(7),
  devmajor: int(8),
  devminor: int(9),
  xattrs: map(10, bytes(2)),
});

/** fsutil.types.Packet: `id` counts the stat packets from 0. */
export const Packet = message({ type: int(1), stat: nested(2, Stat), id: int(3), data: bytes(4) });

/** containerd.services.content.v1 (containerd/api/services/content/v1/content.proto): blobs that the client has. */
export const ReadContentRequest = message({ digest: text(1), offset: int(2), size: int(3) });
export const ReadContentResponse = message({ offset: int(1), data: bytes(2) });

/** Of FileSend, Upload and sshforward alike. */
export const BytesMessage = message({ data: bytes(1) });

export const CredentialsRequest = message({ host: text(1) });
export const CredentialsResponse = message({ username: text(1), secret: text(2) });

export const SecretRequest = message({ id: text(1) });
export const SecretResponse = message({ data: bytes(1) });

export const CheckAgentRequest = message({ id: text(1) });
export const CheckAgentResponse = message({});
