import { once } from 'node:events';
import { connect } from 'node:net';
import { listenersOf } from '../../drivers/qemu/listeners.ts';
import { QmpClient } from '../../drivers/qemu/qmp.ts';
import { qemuState } from '../../drivers/qemu/state.ts';
import { openMachine } from '../../provisioning/machine.ts';
import { MachineStore } from '../../provisioning/machine-store.ts';
import { defaultStoreRoot, storePaths } from '../../provisioning/paths.ts';
import { comeAndGo, crowd, type Place } from '../helpers/crowd.ts';
import { runCommand } from '../helpers/run-command.ts';
import { interleave, row, spread, timed } from './measure.ts';

/**
 * Published ports against a bare forward of QEMU's to a program of the guest itself, in the same run. Bar: 0.8 of its
 * throughput by IPv4, of one to the same container. Needs the bundle and the running machine "dev" of MACHINE_STORAGE_PATH; arguments: rounds, MiB, how many come at once, how many one after the other.
 */
const rounds = Number(process.argv[2] ?? 5);
const mebibytes = Number(process.argv[3] ?? 64);
const connections = Number(process.argv[4] ?? 1000);
const successive = Number(process.argv[5] ?? 2000);
const bytes = mebibytes * 1024 ** 2;

/** Sends as many bytes as it is asked for in one line, then ends. */
const server = (port: number) =>
  `const b=Buffer.alloc(65536);require("net").createServer(s=>{s.on("error",()=>{});s.once("data",d=>{let n=Number(d);const go=()=>{while(n>0){const k=Math.min(n,b.length);n-=k;if(!s.write(b.subarray(0,k)))return s.once("drain",go)}s.end()};go()})}).listen(${port},()=>console.log("up"))`;

/** Sends back what it is sent. */
const echo = 'require("net").createServer(s=>s.on("error",()=>{}).pipe(s)).listen(7,()=>console.log("up"))';

const machine = await openMachine(new MachineStore(storePaths(defaultStoreRoot())), 'dev');
const { url } = await machine.driver.endpoints(machine.handle);
const env = {
  DOCKER_HOST: url,
  DOCKER_TLS_VERIFY: '1',
  DOCKER_CERT_PATH: machine.paths.directory,
};
const signal = AbortSignal.timeout(10_000);
const { qmp } = listenersOf(machine.handle.directory, qemuState(machine.handle.state));
await using monitor = await QmpClient.connect(qmp, { signal });
const bare = { host: '127.0.0.1', port: 28_600 };
/** A bare forward to the container's port of the guest: the way there without what this computer does. */
const bareContainer = { host: '127.0.0.1', port: 28_603 };
const published = { host: '127.0.0.1', port: 28_601 };
const relayed = { host: '::1', port: 28_602 };
const echoed = { host: '127.0.0.1', port: 28_604 };
const echoed6 = { host: '::1', port: 28_605 };

try {
  await serve('bench-bare', ['--network', 'host'], server(29_600));
  await serve('bench-ports', ['-p', `${published.port}:7`, '-p', `[::1]:${relayed.port}:7`], server(7));
  await serve('bench-echo', ['-p', `${echoed.port}:7`, '-p', `[::1]:${echoed6.port}:7`], echo);
  await say(`hostfwd_add net tcp:127.0.0.1:${bare.port}-:29600`);
  await say(`hostfwd_add net tcp:127.0.0.1:${bareContainer.port}-:${published.port}`);
  const fetched = await interleave(rounds, {
    bare: () => timed(() => fetchBytes(bare, bytes)),
    bareContainer: () => timed(() => fetchBytes(bareContainer, bytes)),
    published: () => timed(() => fetchBytes(published, bytes)),
    relayed: () => timed(() => fetchBytes(relayed, bytes)),
  });
  for (const [name, times] of Object.entries(fetched)) {
    const ratio = fetched.bare.median / times.median;
    console.log(
      `${row(`${mebibytes} MiB ${name}`, times)}  ${(mebibytes / (times.median / 1000)).toFixed(1)} MiB/s, ${ratio.toFixed(2)} × bare (least: ${(fetched.bare.min / times.min).toFixed(2)})`,
    );
  }
  let lost = 0;
  const atOnce = (place: Place) =>
    timed(async () => {
      const { sockets, lost: some } = await crowd(connections, () => place);
      for (const socket of sockets) socket.destroy();
      lost += connections - sockets.length;
      if (sockets.length < connections) console.log(`${connections - sockets.length} were lost:`, some);
    });
  const crowds = await interleave(rounds, {
    IPv4: () => atOnce(echoed),
    IPv6: () => atOnce(echoed6),
  });
  for (const [name, times] of Object.entries(crowds))
    console.log(row(`${connections} connections at once, ${name}`, times));
  console.log(`of ${2 * rounds * connections} connections ${lost} were lost`);
  for (const concurrency of [1, 50]) {
    let failed = 0;
    const work = async () => {
      failed = await comeAndGo(successive, concurrency, () => echoed);
    };
    const times = spread([await timed(work)]);
    console.log(`${row(`${successive} connections, ${concurrency} at a time`, times)}  ${failed} failed`);
  }
} finally {
  for (const { port } of [bare, bareContainer]) await say(`hostfwd_remove net tcp:127.0.0.1:${port}`);
  await docker('rm', '-f', 'bench-bare', 'bench-ports', 'bench-echo');
}

async function serve(name: string, options: readonly string[], script: string): Promise<void> {
  const node = ['busybox', 'chroot', '/guest', '/usr/bin/node', '-e', script];
  await docker('run', '-d', '--name', name, ...options, '-v', '/:/guest:ro', ...node);
  while (!(await docker('logs', name)).includes('up')) await new Promise((next) => setTimeout(next, 200));
}

async function fetchBytes(place: { host: string; port: number }, count: number): Promise<void> {
  const socket = connect(place);
  socket.write(`${count}\n`);
  let got = 0;
  socket.on('data', (chunk) => {
    got += chunk.length;
  });
  await once(socket, 'close');
  if (got !== count) throw new Error(`${got} bytes instead of ${count}`);
}

async function docker(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand('docker', args, { env });
  if (exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function say(line: string): Promise<void> {
  const answer = await monitor.execute('human-monitor-command', { 'command-line': line });
  if (answer !== '' && !/removed|not found/.test(String(answer))) throw new Error(String(answer));
}
