import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { goFileMode } from '../../../layers/go-file-mode.ts';
import type { Call } from '../grpc/client.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import type { Content } from '../wire/message.ts';
import { Packet, packetTypes, Stat } from '../wire/session.ts';
import type { Session } from './sessions.ts';

const diffCopy = '/moby.filesync.v1.FileSend/DiffCopy';

/** A message of more than 4 MiB is refused by the other end. */
const pieceBytes = 256 * 1024;

/**
 * Sends a directory to where the client wants the output of its exporter `id` (`--output type=local,dest=…`), by the
 * same protocol with roles turned: says what there is, and sends what is asked for. Throws GrpcError.
 */
export async function sendTree(
  session: Session,
  id: number,
  options: {
    readonly directory: string;
    /** A directory that is made in the client's for it; null = the client's itself. */
    readonly place: string | null;
    /** Before anything of a file goes out; what it throws ends the transfer. */
    readonly onFile?: (path: string) => void;
    readonly onBytes: (bytes: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { onBytes } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  if (!session.supports(diffCopy)) throw new GrpcError(codes.unavailable, 'the client takes no files');
  const call = session.client.stream(diffCopy, Packet, Packet, {
    metadata: { 'buildkit-attachable-exporter-id': String(id) },
    signal,
  });
  const files: (string | null)[] = [];
  const listing = list(call, options, files);
  listing.catch((error: unknown) => failed.abort(error));
  let bytes = 0;
  for await (const { type, id: number, data } of call.messages) {
    if (type === packetTypes.error) throw new GrpcError(codes.unknown, `error from receiver: ${data}`);
    if (type === packetTypes.finish) {
      await listing;
      await call.send(Packet.of({ type: packetTypes.finish }));
      call.finish();
    } else if (type === packetTypes.request) {
      const path = files[number];
      if (!path) throw new GrpcError(codes.invalidArgument, `invalid file request ${number}`);
      for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes })) {
        await call.send(Packet.of({ type: packetTypes.data, id: number, data: chunk as Buffer }));
        bytes += (chunk as Buffer).length;
        onBytes(bytes);
      }
      await call.send(Packet.of({ type: packetTypes.data, id: number }));
    }
  }
}

type Sending = Call<Content<typeof Packet>, Content<typeof Packet>>;

/** Tells of everything in a directory, parents first and names in the order of their bytes. */
async function list(
  call: Sending,
  { directory: root, place, onFile }: Parameters<typeof sendTree>[2],
  files: (string | null)[],
): Promise<void> {
  const there = (path: string) => (place === null ? path : `${place}/${path}`);
  const firstOf = new Map<string, string>();
  const visit = async (directory: string): Promise<void> => {
    const names = await readdir(join(root, directory));
    for (const name of names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const path = directory === '' ? name : `${directory}/${name}`;
      const full = join(root, path);
      const stats = await lstat(full);
      if (stats.isSocket()) continue;
      const inode = `${stats.dev}:${stats.ino}`;
      const first = stats.isFile() && stats.nlink > 1 ? firstOf.get(inode) : undefined;
      firstOf.set(inode, there(path));
      if (!stats.isDirectory()) onFile?.(path);
      files.push(stats.isFile() ? full : null);
      const linkname = stats.isSymbolicLink() ? await readlink(full) : (first ?? '');
      await call.send(Packet.of({ stat: statOf(there(path), stats, linkname) }));
      if (stats.isDirectory()) await visit(path);
    }
  };
  if (place !== null) {
    files.push(null);
    const stat = { path: place, mode: goFileMode(0o040755), modTime: 0n };
    await call.send(Packet.of({ stat: Stat.of(stat) }));
  }
  await visit('');
  await call.send(Packet.of({}));
}

function statOf(path: string, stats: Stats, linkname: string): Content<typeof Stat> {
  return Stat.of({
    ...{ path, linkname, mode: goFileMode(stats.mode), uid: stats.uid, gid: stats.gid },
    size: stats.isFile() ? stats.size : 0,
    modTime: BigInt(Math.round(stats.mtimeMs * 1000)) * 1000n,
    // As the kernel packs them (sysmacros.h), for numbers of today's width.
    devmajor: Math.floor(stats.rdev / 256) % 4096,
    devminor: stats.rdev % 256,
  });
}
