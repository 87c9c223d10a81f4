import { BytesMessage } from '../wire/session.ts';
import type { Session } from './sessions.ts';

const pull = '/moby.upload.v1.Upload/Pull';

/** What a client calls its own stdin (buildx, uploadprovider): a context that it sends as one file. */
export const uploadHost = 'buildkit-session';

/** The bytes of `http://buildkit-session/ID`. */
export async function* readUpload(session: Session, url: URL, signal: AbortSignal): AsyncGenerator<Buffer> {
  const call = session.client.stream(pull, BytesMessage, BytesMessage, {
    metadata: { urlpath: url.pathname, urlhost: url.host },
    signal,
  });
  // Nothing is sent: a server that has said all would reset a call whose other half is open.
  call.finish();
  for await (const { data } of call.messages) yield Buffer.from(data);
}
