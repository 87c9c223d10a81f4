import type { Metadata } from '../grpc/client.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import { Packet, packetTypes } from '../wire/session.ts';
import type { Session } from './sessions.ts';
import { TreeReceiver } from './tree-receiver.ts';

const diffCopy = '/moby.filesync.v1.FileSync/DiffCopy';

export interface FileSyncRequest {
  readonly session: Session;
  /** Of the client's directories: `context`, `dockerfile`, or that of a named context. */
  readonly name: string;
  /** What is there of an earlier transfer stays where it is the same; the rest goes. */
  readonly directory: string;
  /** sha256 of files in it, by path, where it is known; brought up to date. */
  readonly hashes?: Map<string, string>;
  /** Patterns as in .dockerignore. */
  readonly exclude?: readonly string[];
  /** Only these paths, and where links in them lead; patterns too. */
  readonly follow?: readonly string[];
  /** Bytes that came so far. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes `directory` the same as the client's, whatever was in it (fsutil's protocol, receive.go): the client says
 * what it has, is asked for what differs, and sends that. Throws GrpcError, also for a client that sends paths
 * outside of the directory.
 */
export async function syncFiles(request: FileSyncRequest): Promise<void> {
  const { session, name, directory, signal } = request;
  if (!session.supports(diffCopy)) throw new GrpcError(codes.unavailable, 'the client offers no files');
  const call = session.client.stream(diffCopy, Packet, Packet, { metadata: metadata(request), signal });
  const receiver = new TreeReceiver(directory, request.hashes ?? new Map(), (id) => {
    // Waiting here for a client that waits for its data to be read would wait forever.
    void call.send(Packet.of({ type: packetTypes.request, id }));
  });
  let bytes = 0;
  try {
    let finished = false;
    for await (const { type, stat, id, data } of call.messages) {
      bytes += data.length + (stat ? stat.path.length + 32 : 0);
      request.onBytes?.(bytes);
      if (type === packetTypes.error) throw new GrpcError(codes.unknown, `error from sender: ${data}`);
      if (type === packetTypes.finish) call.finish();
      else if (type === packetTypes.stat && stat) await receiver.entry(stat);
      else if (type === packetTypes.stat) await receiver.listed();
      else if (type === packetTypes.data) await receiver.data(id, data);
      if (receiver.complete && !finished) {
        finished = true;
        await receiver.finish();
        await call.send(Packet.of({ type: packetTypes.finish }));
      }
    }
    if (!finished) throw new GrpcError(codes.unavailable, `the transfer of "${name}" ended early`);
  } catch (error) {
    if (!signal.aborted)
      await call.send(Packet.of({ type: packetTypes.error, data: Buffer.from((error as Error).message) }));
    throw error;
  } finally {
    call.finish();
    await receiver.close();
  }
}

function metadata({ name, exclude, follow }: FileSyncRequest): Metadata {
  return Object.fromEntries([
    ...values('dir-name', [name]),
    ...values('exclude-patterns', exclude ?? []),
    ...values('followpaths', follow ?? []),
  ]);
}

/** Texts that are not plain ASCII are escaped, and another field says so (buildkit, encodeStringForHeader). */
function values(key: string, list: readonly string[]): [string, string[]][] {
  if (list.length === 0) return [];
  if (list.every((text) => /^[\x20-\x7e]*$/.test(text) && text.trim() === text)) return [[key, [...list]]];
  return [
    [key, list.map((text) => encodeURIComponent(text))],
    [`${key}-encoded`, ['1']],
  ];
}
