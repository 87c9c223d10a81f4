import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { AgentSocket } from '../../build.ts';
import { codes, GrpcError } from '../grpc/status.ts';
import { BytesMessage, CheckAgentRequest, CheckAgentResponse } from '../wire/session.ts';
import type { Session } from './sessions.ts';

const checkAgent = '/moby.sshforward.v1.SSH/CheckAgent';
const forwardAgent = '/moby.sshforward.v1.SSH/ForwardAgent';

/**
 * A unix socket in a directory of its own below `directory`; who connects to it talks to the client's agent (or to
 * the socket that `--ssh ID=PATH` names). Null when the client offers none by that id.
 */
export async function openAgentSocket(
  session: Session,
  id: string,
  { directory, signal }: { readonly directory: string; readonly signal: AbortSignal },
): Promise<AgentSocket | null> {
  if (!session.supports(forwardAgent) || !(await offers(session, id, signal))) return null;
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const own = await mkdtemp(join(directory, 'ssh-'));
  const path = join(own, 'agent.sock');
  const connections = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => {});
    forward(session, id, connection, signal).catch(() => connection.destroy());
  });
  await listen(server, path);
  return {
    path,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const connection of connections) connection.destroy();
      await rm(own, { recursive: true, force: true });
    },
  };
}

async function offers(session: Session, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await session.client.unary(checkAgent, CheckAgentRequest, CheckAgentResponse, { id }, { signal });
    return true;
  } catch (error) {
    // The client's own word for "not configured" is "unknown".
    if (error instanceof GrpcError && error.code !== codes.unavailable) return false;
    throw error;
  }
}

async function forward(session: Session, id: string, connection: Socket, signal: AbortSignal): Promise<void> {
  const closed = new AbortController();
  connection.on('close', () => closed.abort(new Error('the connection to the agent was closed')));
  const call = session.client.stream(forwardAgent, BytesMessage, BytesMessage, {
    metadata: { 'buildkit.ssh.id': id },
    signal: AbortSignal.any([signal, closed.signal]),
  });
  const there = async () => {
    for await (const data of connection) await call.send({ data: data as Buffer });
    call.finish();
  };
  const back = async () => {
    for await (const { data } of call.messages) connection.write(data);
    connection.end();
  };
  await Promise.all([there(), back()]);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, writableAll: true }, () => resolve());
  });
}
