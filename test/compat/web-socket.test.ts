import t from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { call } from './http.ts';
import { cannotPlay, openSubject } from './subject.ts';
import { openWebSocket } from './web-socket-client.ts';

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(120_000);

t.test('a container is attached to by a WebSocket', { skip }, async (t) => {
  const { socket, output } = await opened(t);
  await output('create', '-i', '--name', 'cat', 'busybox', 'cat');
  const path = '/v1.45/containers/cat/attach/ws?stream=1&stdin=1&stdout=1';
  const client = await openWebSocket(socket, path);
  await output('start', 'cat');
  client.send('one\n');
  await client.heard('one\n');
  client.send('two\n');
  await client.heard('one\ntwo\n');
  t.equal(await client.close(), 'one\ntwo\n');
  await t.rejects(openWebSocket(socket, '/v1.45/containers/nosuch/attach/ws?stream=1'), /refused with 404/);
  t.match(await call(socket, `GET ${path}`), { status: 400 });
  await output('rm', '-f', 'cat');
});

t.test('a WebSocket is told the past and hears the end', { skip }, async (t) => {
  const { socket, output } = await opened(t);
  await output('run', '-d', '--name', 'said', 'busybox', 'sh', '-c', 'echo past; sleep 100');
  const client = await openWebSocket(socket, '/v1.45/containers/said/attach/ws?logs=1&stream=1&stdout=1');
  await client.heard('past\n');
  await output('kill', 'said');
  t.equal(await client.close(), 'past\n');
  await output('rm', 'said');
});

async function opened(t: Parameters<typeof openSubject>[0]) {
  const subject = await openSubject(t);
  return { socket: subject.socket, output: (...args: string[]) => subject.output(args) };
}
