import { codes, GrpcError } from '../grpc/status.ts';
import { BytesMessage } from '../wire/session.ts';
import type { Session } from './sessions.ts';

const diffCopy = '/moby.filesync.v1.FileSend/DiffCopy';

/** gRPC's clients take no message of more than 4 MiB. */
const pieceBytes = 1024 * 1024;

/** Sends a file to where the client wants the output of its exporter `id` (`--output type=tar,dest=…`). */
export async function sendFile(
  session: Session,
  id: number,
  content: AsyncIterable<Buffer>,
  signal: AbortSignal,
): Promise<void> {
  if (!session.supports(diffCopy)) throw new GrpcError(codes.unavailable, 'the client takes no files');
  const call = session.client.stream(diffCopy, BytesMessage, BytesMessage, {
    metadata: { 'buildkit-attachable-exporter-id': String(id) },
    signal,
  });
  for await (const chunk of content)
    for (let at = 0; at < chunk.length; at += pieceBytes)
      await call.send({ data: chunk.subarray(at, at + pieceBytes) });
  call.finish();
  // Its status says whether the client has written it all.
  for await (const _ of call.messages);
}
