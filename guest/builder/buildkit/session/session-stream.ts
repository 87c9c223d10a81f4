import { Duplex } from 'node:stream';
import type { Method } from '../grpc/server.ts';
import { BytesMessage } from '../wire/session.ts';
import type { Sessions } from './sessions.ts';

/**
 * Control.Session: a session's connection in the messages of a call, for clients that open no connection of its own for
 * it, as buildctl (buildkit, session/grpchijack). The call's metadata are the headers of `POST /session`.
 */
export function sessionMethod(sessions: Sessions): Method {
  return async (messages, send, { metadata, signal }) => {
    sessions.check(metadata);
    await sessions.serve(connectionOf(messages, send), metadata, signal);
  };
}

function connectionOf(messages: AsyncIterable<Buffer>, send: (message: Uint8Array) => Promise<void>): Duplex {
  const received = messages[Symbol.asyncIterator]();
  return new Duplex({
    read() {
      received.next().then(
        ({ done, value }) => this.push(done ? null : BytesMessage.decode(value).data),
        (error) => this.destroy(error as Error),
      );
    },
    write(data: Buffer, _, done) {
      send(BytesMessage.encode({ data })).then(() => done(), done);
    },
  });
}
