import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { hostForwards } from '../../drivers/qemu/host-forwards.ts';
import { listenersOf } from '../../drivers/qemu/listeners.ts';
import { QmpClient } from '../../drivers/qemu/qmp.ts';
import { qemuState } from '../../drivers/qemu/state.ts';
import { comeAndGo, crowd, hello } from '../helpers/crowd.ts';
import { readToEnd } from '../helpers/read-to-end.ts';
import { runCommand } from '../helpers/run-command.ts';
import { type Docker, eventually, inNode, untilUp } from './guest-programs.ts';
import type { MachineHarness } from './machine-harness.ts';

export interface ConnectionsSubject {
  /** Has a machine "dev" that runs. */
  readonly harness: MachineHarness;
  readonly docker: Docker;
  /** The machine's processes of this computer. */
  readonly supervisor: () => Promise<{ readonly pid: number }>;
  readonly qemu: () => Promise<number>;
}

/** Many connections through published ports, long ones and short ones, and what is left of them: nothing. */
export async function testConnections(t: Test, subject: ConnectionsSubject): Promise<void> {
  const { harness, docker, supervisor, qemu } = subject;
  const pids = async () => [await qemu(), (await supervisor()).pid] as const;
  /** Of each four connections one comes by IPv6. */
  const place = (i: number) =>
    i % 4 === 0 ? { host: '::1', port: 18_541 } : { host: '127.0.0.1', port: 18_540 };

  await t.test('a thousand connections at once have an answer each, and leave nothing', async (t) => {
    const echo =
      'require("net").createServer(s=>s.on("error",()=>{}).pipe(s)).listen(7,()=>console.log("up"))';
    await docker('run', '-d', '--name', 'echo', '-p', '18540:7', '-p', '[::1]:18541:7', ...inNode(echo));
    await untilUp(t, docker, 'echo');
    const both = await pids();
    const before = await Promise.all(both.map(openFiles));
    const began = Date.now();
    const { sockets, lost } = await crowd(1000, place);
    t.comment(`all were answered after ${Date.now() - began} ms`);
    t.strictSame(lost, {});
    t.equal(sockets.length, 1000);
    const again = await Promise.all(sockets.map((socket) => hello(socket, 'once more')));
    t.ok(
      again.every((outcome) => outcome === 'answered'),
      'all stay open',
    );
    const megabytes = await residentMegabytes(both[1]);
    t.ok(megabytes < 130, `the supervisor has ${megabytes} MB then`);
    for (const socket of sockets) socket.destroy();
    t.equal(await comeAndGo(1000, 10, place), 0, 'a thousand that come and go');
    await leavesNothing(t, both, before);
    await docker('rm', '-f', 'echo');
  });

  await t.test('who waits in a full queue of the container is not forgotten', async (t) => {
    const slow = `require("net").createServer(s=>{const e=Date.now()+20;while(Date.now()<e);s.on("error",()=>{}).pipe(s)})
      .listen({port:7,backlog:8},()=>console.log("up"))`;
    await docker('run', '-d', '--name', 'slow', '-p', '18542:7', ...inNode(slow));
    await untilUp(t, docker, 'slow');
    const began = Date.now();
    const { sockets, lost } = await crowd(50, () => ({ host: '127.0.0.1', port: 18_542 }));
    t.comment(`all were answered after ${Date.now() - began} ms`);
    t.strictSame(lost, {});
    for (const socket of sockets) socket.destroy();
    await docker('rm', '-f', 'slow');
  });

  await t.test('each direction ends by itself', async (t) => {
    const script = `const n=require("net"),read=(s,done)=>{let a="";s.on("data",c=>a+=c).on("end",()=>done(a))};
      n.createServer({allowHalfOpen:true},s=>read(s,a=>setTimeout(()=>s.end("got "+a),300))).listen(8);
      n.createServer({allowHalfOpen:true},s=>{s.end("bye");read(s,a=>console.log("after it, "+a))}).listen(9,()=>console.log("up"))`;
    await docker('run', '-d', '--name', 'half', '-p', '18545-18546:8-9', ...inNode(script));
    await untilUp(t, docker, 'half');
    const first = connect({ host: '127.0.0.1', port: 18_545, allowHalfOpen: true });
    first.end('a question');
    t.equal(await readToEnd(first), 'got a question', 'the client first');
    const second = connect({ host: '127.0.0.1', port: 18_546, allowHalfOpen: true });
    t.equal(await readToEnd(second), 'bye', 'the container first');
    await delay(300);
    second.end('the rest');
    await eventually(t, async () => (await docker('logs', 'half')).includes('after it, the rest'));
    await docker('rm', '-f', 'half');
  });

  await t.test('containers that come and go leave no forward', async (t) => {
    const pid = await qemu();
    const count = async () =>
      (await runCommand('ss', ['-Hltunp'])).stdout.split('\n').filter((l) => l.includes(`pid=${pid},`))
        .length;
    const before = [await count(), await openFiles(pid)];
    for (let i = 0; i < 3; i++)
      await docker('run', '--rm', '-p', '18560-18569:80-89', '-p', '18560:80/udp', 'busybox', 'true');
    t.equal(await count(), before[0]);
    // A thousand forwards that come and go, by the monitor that no supervisor uses.
    const { Driver } = JSON.parse(await readFile(`${harness.directory('dev')}/config.json`, 'utf8'));
    const { qmp } = listenersOf(harness.directory('dev'), qemuState(Driver));
    await using client = await QmpClient.connect(qmp, { signal: AbortSignal.timeout(10_000) });
    const whenClosed = () => client.closed;
    const forwards = hostForwards({ client, whenClosed, [Symbol.asyncDispose]: async () => {} }, []);
    for (let i = 0; i < 1000; i++) {
      const protocol = i % 2 ? 'udp' : 'tcp';
      const forward = {
        protocol,
        hostAddress: '127.0.0.1',
        hostPort: 18_560 + (i % 7),
        guestPort: 80,
      } as const;
      await forwards.add(forward);
      await forwards.remove(forward);
    }
    t.equal(await count(), before[0]);
    const after = await openFiles(pid);
    t.ok(after <= before[1]! + 10, `${before[1]} files were open, ${after} are`);
  });
}

async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1024);
}

/** These processes come to have as few files open as before, but for one or two of other causes. */
async function leavesNothing(t: Test, pids: readonly number[], before: readonly number[]): Promise<void> {
  let after: number[] = [];
  const isLittle = () => after.every((count, i) => count <= before[i]! + 3);
  // Closed connections are in QEMU's table for a little while.
  for (let tries = 0; tries < 60 && !(after.length > 0 && isLittle()); tries++) {
    if (tries > 0) await delay(1000);
    after = await Promise.all(pids.map(openFiles));
  }
  t.ok(isLittle(), `${before} files were open, ${after} are`);
}
