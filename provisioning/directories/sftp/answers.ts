import type { StatsFs } from 'node:fs';
import { type Attributes, writeAttributes } from './attributes.ts';
import { Packet } from './packets.ts';
import { extensions, protocolVersion, response, status } from './protocol.ts';

export function versionAnswer(): Packet {
  const packet = new Packet().byte(response.version).uint32(protocolVersion);
  for (const [name, version] of Object.entries(extensions)) packet.bytes(name).bytes(version);
  return packet;
}

export function statusAnswer(
  id: number,
  { code, text }: { readonly code: number; readonly text: string },
): Packet {
  return new Packet().byte(response.status).uint32(id).uint32(code).bytes(text).bytes('');
}

export function okAnswer(id: number): Packet {
  return statusAnswer(id, { code: status.ok, text: '' });
}

export function endAnswer(id: number): Packet {
  return statusAnswer(id, { code: status.eof, text: '' });
}

export function handleAnswer(id: number, handle: Buffer): Packet {
  return new Packet().byte(response.handle).uint32(id).bytes(handle);
}

export function attributesAnswer(id: number, stats: Attributes): Packet {
  const packet = new Packet().byte(response.attrs).uint32(id);
  writeAttributes(packet, stats);
  return packet;
}

/** One name without attributes, as answers to `realpath` and `readlink` are. */
export function nameAnswer(id: number, name: Buffer): Packet {
  return new Packet().byte(response.name).uint32(id).uint32(1).bytes(name).bytes(name).uint32(0);
}

/** Of `statvfs@openssh.com`. */
export function fileSystemAnswer(
  id: number,
  fileSystem: StatsFs,
  { readonly }: { readonly readonly: boolean },
): Packet {
  const { bsize, blocks, bfree, bavail, files, ffree } = fileSystem;
  const packet = new Packet().byte(response.extended).uint32(id);
  const nameMax = 255;
  // f_fsid is nobody's business; the flags have 1 for a file system that cannot be written.
  for (const value of [
    bsize,
    bsize,
    blocks,
    bfree,
    bavail,
    files,
    ffree,
    ffree,
    0,
    readonly ? 1 : 0,
    nameMax,
  ])
    packet.uint64(Math.max(0, value));
  return packet;
}

/** `length` bytes of data to be filled in from where `data` begins; then cut to what was read. */
export function dataAnswer(
  id: number,
  length: number,
): { readonly data: Buffer; cut(bytes: number): Buffer } {
  const head = 13;
  const packet = Buffer.allocUnsafe(head + length);
  return {
    data: packet.subarray(head),
    cut(bytes) {
      packet.writeUInt32BE(head - 4 + bytes, 0);
      packet[4] = response.data;
      packet.writeUInt32BE(id, 5);
      packet.writeUInt32BE(bytes, 9);
      return packet.subarray(0, head + bytes);
    },
  };
}
