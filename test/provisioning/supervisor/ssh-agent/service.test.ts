import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { sshAgentRoutes } from '../../../../guest/api/routes/ssh-agent.ts';
import { HostSshAgent } from '../../../../guest/host-services/ssh-agent.ts';
import { rememberAgent } from '../../../../provisioning/ssh/user-agent.ts';
import { sshAgentService } from '../../../../provisioning/supervisor/ssh-agent/service.ts';
import { machineWithApi, runService } from '../agent-api.ts';

/** Both ends of it, joined by the API; `agent` says what an agent at `path` would. */
async function joined(t: Test, deadlineMs?: number) {
  const guest = new HostSshAgent(deadlineMs === undefined ? {} : { deadlineMs });
  t.teardown(() => guest.close());
  // Not tap's: its path is too long for sockets.
  const directory = await mkdtemp(join(tmpdir(), 'sa-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const socket = join(directory, 'services', 'auth.sock');
  await guest.listen(socket);
  const machine = await machineWithApi(t, sshAgentRoutes(guest));
  return { guest, socket, machine, directory };
}

/** Echoes what it is told, with the connection's number before it. */
async function echoing(t: Test, path: string): Promise<{ readonly sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const number = sockets.push(socket);
    socket.on('data', (bytes) => socket.write(`${number}:${bytes}`)).on('end', () => socket.end('bye'));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { sockets };
}

/** What came until the end, after saying `text` and nothing more. */
async function ask(path: string, text: string): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true });
  socket.on('error', () => {});
  let heard = '';
  socket.setEncoding('utf8').on('data', (more) => {
    heard += more;
  });
  socket.end(text);
  await new Promise<unknown>((resolve) => socket.once('close', resolve));
  return heard;
}

t.test('programs of the machine talk to the user’s agent, each by a connection of its own', async (t) => {
  const { socket, machine, directory, guest } = await joined(t);
  const path = join(directory, 'agent');
  const { sockets } = await echoing(t, path);
  await rememberAgent(machine.paths, path);
  await runService(t, sshAgentService, machine);
  const answers = await Promise.all([...'abcdefgh'].map((letter) => ask(socket, letter)));
  t.strictSame(
    answers.map((answer) => answer.replace(/^\d+/, 'n')).sort(),
    [...'abcdefgh'].map((letter) => `n:${letter}bye`),
  );
  t.equal(new Set(answers.map((answer) => answer.split(':')[0])).size, 8);
  t.ok(await guest.answers(), 'and the engine can ask it');
  t.equal(sockets.length, 9);
  t.equal((await stat(socket)).mode & 0o777, 0o666);
  t.equal((await stat(join(socket, '..'))).mode & 0o777, 0o700, 'nobody but root reaches it by its path');
});

t.test('an agent that has moved is found where the last start said', async (t) => {
  const { socket, machine, directory } = await joined(t);
  for (const name of ['first', 'second']) await echoing(t, join(directory, name));
  await rememberAgent(machine.paths, join(directory, 'first'));
  await runService(t, sshAgentService, machine);
  t.equal(await ask(socket, 'x'), '1:xbye');
  await rememberAgent(machine.paths, join(directory, 'nowhere'));
  t.equal(await ask(socket, 'x'), '');
  await rememberAgent(machine.paths, join(directory, 'second'));
  t.equal(await ask(socket, 'x'), '1:xbye');
});

t.test('without an agent programs are closed, nobody hangs, and the log says why', async (t) => {
  const { guest, socket, machine, directory } = await joined(t);
  const errors = await runService(t, sshAgentService, machine);
  t.equal(await ask(socket, 'x'), '');
  t.notOk(await guest.answers());
  await rememberAgent(machine.paths, join(directory, 'gone'));
  t.notOk(await guest.answers());
  t.match(errors, [/there was no SSH_AUTH_SOCK .*; machine start/, /ENOENT.*gone/]);
});

t.test('without a host programs are closed after a while', async (t) => {
  const { guest, socket } = await joined(t, 50);
  t.equal(await ask(socket, 'x'), '');
  t.notOk(await guest.answers());
});

t.test('a program that leaves while the agent works ends that connection, and the other way', async (t) => {
  const { socket, machine, directory } = await joined(t);
  const path = join(directory, 'agent');
  const { sockets } = await echoing(t, path);
  await rememberAgent(machine.paths, path);
  await runService(t, sshAgentService, machine);
  const leaving = connect(socket);
  leaving.write('x');
  await once(leaving, 'data');
  leaving.destroy();
  await once(sockets[0]!, 'end');
  const left = connect(socket);
  left.on('error', () => {});
  left.write('x');
  await once(left, 'data');
  sockets[1]!.destroy();
  await once(left, 'close');
});
