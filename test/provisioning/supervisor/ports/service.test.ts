import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { publishedPortsRoutes } from '../../../../guest/api/routes/published-ports.ts';
import { createApiServer } from '../../../../guest/api/server.ts';
import { noLog } from '../../../../guest/log.ts';
import { Firewall } from '../../../../guest/network/firewall/firewall.ts';
import type { PortRequest } from '../../../../guest/network/ports/ports.ts';
import { PublishedPorts } from '../../../../guest/network/ports/published-ports.ts';
import { issueAuthority, issueClient, issueServer } from '../../../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../../../provisioning/certs/key-pair.ts';
import { portsService } from '../../../../provisioning/supervisor/ports/service.ts';
import { Sleep } from '../../../../provisioning/supervisor/sleep.ts';
import { supervisedMachine } from '../supervised-machine.ts';
import { MemoryForwarder } from './memory-forwarder.ts';

const key = await rsaPrivateKey(2048);
const authority = issueAuthority({ key });
const certificate = issueServer({ authority, key, names: ['127.0.0.1'], commonName: 'dev' });
const client = issueClient({ authority, key });

/** The agent's side of the API, without containers. */
async function agent(t: Test, port = 0) {
  const run = async () => ({ stdout: Buffer.alloc(0), stderr: '', exitCode: 0 });
  const ports = new PublishedPorts(new Firewall({ table: 'test', through: null }, run), { forwarded: true });
  const api = createApiServer({ routes: publishedPortsRoutes(ports), log: noLog });
  t.teardown(() => api.close());
  const listening = await api.listenTls('127.0.0.1', port, { ca: authority.cert, ...certificate });
  return { ports, port: listening, close: () => api.close() };
}

/** A machine whose ports service runs until the test's end. */
async function run(t: Test, port: number, forwarder: MemoryForwarder) {
  const { machine } = await supervisedMachine(t);
  await writeFile(machine.paths.ca, authority.cert);
  await writeFile(machine.paths.cert, client.cert);
  await writeFile(machine.paths.key, client.key);
  const driver = Object.assign(machine.driver, {
    forward: async () => forwarder,
    endpoints: async () => ({ url: `tcp://127.0.0.1:${port}`, ip: '127.0.0.1' }),
  });
  const ended = new AbortController();
  const messages: string[] = [];
  const log = { info: () => {}, error: (text: string) => messages.push(text) };
  const isReady = new Promise<void>((ready, failed) => {
    const context = { machine: { ...machine, driver }, signal: ended.signal, log, ready, sleep: new Sleep() };
    const running = portsService.run(context);
    running.catch(failed);
    t.teardown(async () => {
      ended.abort(new Error('the test is over'));
      await running.catch(() => {});
    });
  });
  await isReady;
  return { messages };
}

const request = (hostPort: number, hostAddress = '127.0.0.1'): PortRequest => ({
  containerPort: 80,
  protocol: 'tcp',
  hostAddresses: [hostAddress],
  hostPorts: { first: hostPort, last: hostPort },
});

t.test('what a container takes is there when it has it, and gone when it has given it back', async (t) => {
  const forwarder = new MemoryForwarder();
  await forwarder.add({ protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 28_400, guestPort: 1 });
  const { ports, port } = await agent(t);
  await run(t, port, forwarder);
  t.equal(forwarder.there.size, 0, 'ready means that nothing stale is left');
  await ports.hold('web', { requests: [request(28_401), request(28_402, '0.0.0.0')], wanted: [] });
  t.strictSame([...forwarder.there.keys()], ['tcp 127.0.0.1 28401', 'tcp 0.0.0.0 28402']);
  await ports.release('web');
  t.equal(forwarder.there.size, 0);
});

t.test('a port that this computer does not have is an error that says why', async (t) => {
  const forwarder = new MemoryForwarder();
  forwarder.refused.set(28_406, 'EADDRINUSE').set(28_403, 'EADDRNOTAVAIL');
  const { ports, port } = await agent(t);
  const { messages } = await run(t, port, forwarder);
  const asked = { requests: [request(28_404), request(28_406, '127.0.0.3')], wanted: [] };
  // The agent of this test is a process of the host, and has it: as the machine's own.
  const message = /^Bind for 127\.0\.0\.3:28406 failed: port is already allocated \(by machine "dev"/;
  await t.rejects(ports.hold('web', asked), { message: process.platform === 'linux' ? message : /failed/ });
  t.equal(forwarder.there.size, 0, 'and what it had got is given back');
  await t.rejects(ports.hold('web', { requests: [request(28_403, '127.0.0.4')], wanted: [] }), {
    message: /cannot assign requested address; this computer has no address 127\.0\.0\.4/,
  });
  t.equal(messages.length, 2, 'each is in the log once');
});

t.test('an agent that is started again finds the host at its side', async (t) => {
  const forwarder = new MemoryForwarder();
  const first = await agent(t);
  await run(t, first.port, forwarder);
  await first.ports.hold('web', { requests: [request(28_405)], wanted: [] });
  forwarder.done.length = 0;
  await first.close();
  await first.ports.close();
  const second = await agent(t, first.port);
  await second.ports.hold('web', { requests: [request(28_405)], wanted: [] });
  // Nobody follows at first, so nobody waited; then it is there as it was.
  while (second.ports.host.state().serial < 2) await delay(20);
  await second.ports.host.answer({ deadlineMs: 5000 });
  t.strictSame(forwarder.done, []);
  t.equal(forwarder.there.size, 1);
});
