import { Duplex } from 'node:stream';
import t from 'tap';
import { createGrpcClient } from '../../../../../guest/builder/buildkit/grpc/client.ts';
import { serveGrpc, unary } from '../../../../../guest/builder/buildkit/grpc/server.ts';
import { sessionMethod } from '../../../../../guest/builder/buildkit/session/session-stream.ts';
import { Sessions } from '../../../../../guest/builder/buildkit/session/sessions.ts';
import { BytesMessage } from '../../../../../guest/builder/buildkit/wire/session.ts';
import { socketPair } from '../client-pair.ts';

const path = '/moby.buildkit.v1.Control/Session';

t.test('a session lives in the messages of a call, for as long as the call does', async (t) => {
  const sessions = new Sessions();
  const end = new AbortController();
  const { signal } = end;
  const onError = (error: unknown) => t.error(error);
  const [near, far] = await socketPair(t);
  void serveGrpc(far, new Map([[path, sessionMethod(sessions)]]), { signal, onError });
  const client = createGrpcClient(near);

  const metadata = {
    'x-docker-expose-session-uuid': 'one',
    'x-docker-expose-session-grpc-method': '/a.B/Twice',
  };
  const hangUp = new AbortController();
  const call = client.stream(path, BytesMessage, BytesMessage, { metadata, signal: hangUp.signal });
  const twice = unary(BytesMessage, BytesMessage, ({ data }) => ({ data: Buffer.concat([data, data]) }));
  const received = call.messages[Symbol.asyncIterator]();
  const connection = new Duplex({
    read() {
      received.next().then(
        ({ done, value }) => this.push(done ? null : value.data),
        () => this.push(null),
      );
    },
    write(data: Buffer, _, done) {
      void call.send({ data }).then(() => done(), done);
    },
  });
  void serveGrpc(connection, new Map([['/a.B/Twice', twice]]), { signal, onError });

  const session = await sessions.get('one', signal);
  t.ok(session.supports('/a.B/Twice'));
  const data = Buffer.alloc(300_000, 'x');
  const answer = await session.client.unary('/a.B/Twice', BytesMessage, BytesMessage, { data }, { signal });
  t.ok(Buffer.concat([data, data]).equals(answer.data));

  const again = client.stream(path, BytesMessage, BytesMessage, { metadata, signal });
  await t.rejects(again.messages[Symbol.asyncIterator]().next(), { message: 'session one already exists' });
  hangUp.abort();
  await session.client.closed;
  end.abort();
});
