import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { identify } from '../../../../drivers/process-identity.ts';
import { freePorts } from '../../../../drivers/qemu/ports.ts';
import { findTaker } from '../../../../provisioning/supervisor/ports/taker.ts';
import { exampleRecord } from '../../example-record.ts';
import { supervisedMachine } from '../supervised-machine.ts';

const skip = process.platform === 'linux' ? false : 'only Linux tells who listens';
const forward = (hostPort: number, hostAddress = '127.0.0.1') =>
  ({ protocol: 'tcp', hostAddress, hostPort, guestPort: 80 }) as const;

/** The machine "dev", which asks, and a machine "other" of its store that runs, with its API at a port of this computer. */
async function twoMachines(t: Test, apiPort: number) {
  const { store, machine } = await supervisedMachine(t);
  const url = `tcp://127.0.0.1:${apiPort}`;
  await store.makeDirectory('other');
  await store.save({ ...exampleRecord('other'), Driver: { failAt: null, hangAt: null, url } });
  const paths = store.machine('other');
  for (const file of ['fake-disk', 'fake-power']) await writeFile(join(paths.directory, file), '');
  return { machine, other: paths };
}

/** A process of its own that listens at a free port. */
async function listener(t: Test): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const [port = 0] = await freePorts(1);
  const script = `require("net").createServer().listen(${port},"127.0.0.1",()=>console.log("up"))`;
  const child = spawn(process.execPath, ['-e', script]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return { child, port };
}

t.test("a port of another machine's supervisor is that machine's", { skip }, async (t) => {
  const { child, port } = await listener(t);
  const { machine, other } = await twoMachines(t, 1);
  t.match(await findTaker(forward(port), machine), { pid: child.pid, name: 'node' }, 'a program, until then');
  await writeFile(other.supervisor, JSON.stringify({ ...(await identify(child.pid!)), services: {} }));
  t.strictSame(await findTaker(forward(port), machine), { machine: 'other', own: false, use: null });
});

t.test('a port that a machine is reached by itself is known by its record', async (t) => {
  const [port = 0] = await freePorts(1);
  const { machine } = await twoMachines(t, port);
  const taker = { machine: 'other', own: false, use: 'Docker API' };
  t.strictSame(await findTaker(forward(port), machine), taker);
  t.strictSame(await findTaker(forward(port, '0.0.0.0'), machine), taker);
  t.equal(await findTaker(forward(port, '127.0.0.2'), machine), null);
});

t.test("a port of the asking machine's own supervisor is its own", { skip }, async (t) => {
  const { machine } = await twoMachines(t, 1);
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  t.match(await findTaker(forward(port), machine), { machine: 'dev', own: true });
});
