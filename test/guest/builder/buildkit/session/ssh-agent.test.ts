import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import type { Methods } from '../../../../../guest/builder/buildkit/grpc/server.ts';
import { unary } from '../../../../../guest/builder/buildkit/grpc/server.ts';
import { codes, GrpcError } from '../../../../../guest/builder/buildkit/grpc/status.ts';
import { readCredentials } from '../../../../../guest/builder/buildkit/session/credentials.ts';
import { readSecret } from '../../../../../guest/builder/buildkit/session/secrets.ts';
import { openAgentSocket } from '../../../../../guest/builder/buildkit/session/ssh-agent.ts';
import * as wire from '../../../../../guest/builder/buildkit/wire/session.ts';
import { openSession } from '../client-pair.ts';

const { signal } = new AbortController();

/** A client with one agent, "default", that shouts back; one secret; one login. */
const client: Methods = new Map([
  [
    '/moby.sshforward.v1.SSH/CheckAgent',
    unary(wire.CheckAgentRequest, wire.CheckAgentResponse, ({ id }) => {
      if (id !== 'default') throw new GrpcError(codes.unknown, `unset ssh forward key ${id}`);
      return {};
    }),
  ],
  [
    '/moby.sshforward.v1.SSH/ForwardAgent',
    async (messages, send, { metadata }) => {
      for await (const message of messages) {
        const said = String(wire.BytesMessage.decode(message).data);
        const answer = `${metadata['buildkit.ssh.id']}: ${said.toUpperCase()}`;
        await send(wire.BytesMessage.encode({ data: Buffer.from(answer) }));
      }
    },
  ],
  [
    '/moby.buildkit.secrets.v1.Secrets/GetSecret',
    unary(wire.SecretRequest, wire.SecretResponse, ({ id }) => {
      if (id === 'broken') throw new GrpcError(codes.internal, 'out of order');
      if (id !== 'key') throw new GrpcError(codes.notFound, `secret ${id} not found`);
      return { data: Buffer.from([0, 255]) };
    }),
  ],
  [
    '/moby.filesync.v1.Auth/Credentials',
    unary(wire.CredentialsRequest, wire.CredentialsResponse, ({ host }) => {
      if (host === 'registry-1.docker.io') return { username: 'me', secret: 'pass' };
      return { username: '', secret: host === 'token.example' ? 'token' : '' };
    }),
  ],
]);

t.test('who connects to the socket talks to the client agent', async (t) => {
  const session = await openSession(t, client);
  // A socket's path has 107 bytes at most.
  const directory = await mkdtemp(join(tmpdir(), 'agent-'));
  t.teardown(() => rm(directory, { recursive: true }));
  {
    await using agent = await openAgentSocket(session, 'default', { directory, signal });
    const connection = connect(agent!.path);
    await once(connection, 'connect');
    connection.end('hello');
    t.equal(await text(connection), 'default: HELLO');
  }
  t.same(readdirSync(directory), [], 'the socket is gone with its step');
  t.equal(await openAgentSocket(session, 'other', { directory, signal }), null);
});

t.test('a client without agents, secrets or logins has none', async (t) => {
  const session = await openSession(t, new Map());
  t.equal(await openAgentSocket(session, 'default', { directory: t.testdir(), signal }), null);
  t.equal(await readSecret(session, 'key', signal), null);
  t.equal(await readCredentials(session, 'docker.io', signal), null);
});

t.test('secrets and logins are what the client says', async (t) => {
  const session = await openSession(t, client);
  t.same(await readSecret(session, 'key', signal), Buffer.from([0, 255]));
  t.equal(await readSecret(session, 'other', signal), null);
  await t.rejects(readSecret(session, 'broken', signal), { message: 'out of order', code: codes.internal });
  t.same(await readCredentials(session, 'docker.io', signal), { username: 'me', password: 'pass' });
  t.same(await readCredentials(session, 'token.example', signal), { identityToken: 'token' });
  t.equal(await readCredentials(session, 'other.example', signal), null);
});
