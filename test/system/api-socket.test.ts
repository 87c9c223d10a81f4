import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import t from 'tap';
import { tarEntry } from '../../guest/layers/tar-entry.ts';
import { encodeHeader, tarEnd } from '../../guest/layers/tar-writer.ts';
import { residentMiB } from '../helpers/process-usage.ts';
import { makeTar } from '../helpers/tar.ts';
import { MachineHarness } from './machine-harness.ts';

/** What programs send and get through a machine's socket: much, slowly, and one direction at a time. */
const missing = MachineHarness.missing();

const mebibyte = 1024 ** 2;
/** Each way: half as much again as the bars allow anybody. With 1024 it takes half an hour where the VM is emulated. */
const mebibytes = Number(process.env.MACHINE_TEST_SOCKET_MIB ?? 96);
/** Twice what a supervisor may have more than before. */
const slowMebibytes = Math.max(20, Math.ceil(mebibytes / 8));
/** The bar for a supervisor is 70, whatever passes; a few more are left of its start until something has passed. */
const supervisorMiB = 75;

t.test('the socket of a machine', { ...(missing && { skip: missing }), timeout: 3_600_000 }, async (t) => {
  const harness = await MachineHarness.openFor(t);
  await harness.succeed('create', '--no-mount', 'dev');
  const supervisor = await harness.supervisor('dev');
  const client = new Docker({ socketPath: join(harness.directory('dev'), 'docker.sock') });
  const docker = (...args: string[]) =>
    spawn('docker', [...harness.onSocket('dev'), ...args], {
      env: { ...process.env, ...harness.env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  const agentMiB = async () => {
    const status = await harness.succeed(
      ...['ssh', 'dev', 'read -r p </run/machine/agent.pid; cat /proc/$p/status'],
    );
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024);
  };
  /** Runs something, and tells what the supervisor and the agent had in memory. */
  const measured = async (what: string, work: () => Promise<void>) => {
    const [before, agentBefore] = [residentMiB(supervisor), await agentMiB()];
    let [most, agentMost] = [before, agentBefore];
    const watching = setInterval(() => {
      most = Math.max(most, residentMiB(supervisor));
    }, 100);
    const over = new AbortController();
    const asking = (async () => {
      while (!over.signal.aborted) {
        agentMost = Math.max(agentMost, await agentMiB());
        await delay(5000, undefined, { signal: over.signal }).catch(() => {});
      }
    })();
    const since = performance.now();
    try {
      await work();
    } finally {
      clearInterval(watching);
      over.abort();
      await asking;
    }
    const seconds = (performance.now() - since) / 1000;
    t.comment(
      `${what}: ${seconds.toFixed(1)} s; MiB: supervisor ${before}, ${most} at most, ${residentMiB(supervisor)} after; agent ${agentBefore}, ${agentMost}, ${await agentMiB()}`,
    );
    t.ok(most <= supervisorMiB, `the supervisor had ${most} MiB at most`);
    t.ok(most - before <= 10, `${most - before} more than before`);
    t.ok(residentMiB(supervisor) <= 70, 'and 70 at most afterwards');
    t.ok(agentMost - agentBefore < 64, `the agent had ${agentBefore} MiB before, ${agentMost} at most`);
  };
  await client.createContainer({ name: 'files', Image: 'busybox', Cmd: ['true'] });
  // What a supervisor's start has left is collected a few seconds after it (supervise.ts).
  await delay(10_000);

  await t.test('takes and gives hundreds of megabytes in flat memory', async (t) => {
    await measured(`docker cp of ${mebibytes} MiB in`, async () => {
      const cp = docker('cp', '-', 'files:/');
      const ended = once(cp, 'close');
      await pour(cp, largeFile(mebibytes));
      t.same(await ended, [0, null]);
    });
    await measured(`docker cp of ${mebibytes} MiB out`, async () => {
      const cp = docker('cp', 'files:/large', '-');
      cp.stdin.end();
      let bytes = 0;
      for await (const chunk of cp.stdout) bytes += (chunk as Buffer).length;
      t.ok(bytes >= mebibytes * mebibyte, `${bytes} bytes came`);
    });
    await client.getContainer('files').remove();
  });

  await t.test('passes the end of stdin, and what is said after it', async (t) => {
    const container = await client.createContainer({
      Image: 'busybox',
      Cmd: ['sh', '-c', 'wc -c; sleep 2; echo late; exit 5'],
      ...{ OpenStdin: true, StdinOnce: true, AttachStdin: true },
    });
    const stream = await container.attach({
      ...{ stream: true, hijack: true, stdin: true, stdout: true, stderr: true },
    });
    const out = new PassThrough();
    client.modem.demuxStream(stream, out, out);
    stream.on('end', () => out.end());
    await container.start();
    stream.end('12345');
    t.equal(await text(out), '5\nlate\n');
    t.match(await container.wait(), { StatusCode: 5 });
    await container.remove();
  });

  await t.test('waits for who reads slowly, without keeping what he has not read', async (t) => {
    const container = await client.createContainer({
      Image: 'busybox',
      Cmd: ['head', '-c', String(slowMebibytes * mebibyte), '/dev/zero'],
      HostConfig: { LogConfig: { Type: 'none', Config: {} } },
    });
    await measured(`${slowMebibytes} MiB for a slow reader`, async () => {
      const stream = await container.attach({ stream: true, hijack: true, stdout: true });
      await container.start();
      // Nothing is read for a while, then a little at a time.
      await delay(5000);
      let bytes = 0;
      for await (const chunk of stream as unknown as Readable) {
        bytes += (chunk as Buffer).length;
        if (bytes < mebibyte) await delay(100);
      }
      t.ok(bytes >= slowMebibytes * mebibyte, `${bytes} bytes came`);
    });
    t.match(await container.wait(), { StatusCode: 0 });
    await container.remove();
  });

  await t.test('dockerode works over it, unmodified', async (t) => {
    t.match(await client.version(), { Os: 'linux' });
    const out = new PassThrough();
    const [{ StatusCode }] = await client.run('busybox', ['sh', '-c', 'echo dockerode; exit 3'], out);
    t.equal(StatusCode, 3);
    t.match(String(out.read()), 'dockerode');
    const tar = makeTar([
      { path: 'Dockerfile', content: 'FROM busybox\nRUN --mount=type=tmpfs,target=/t true\n' },
    ]);
    const built = await client.buildImage(Readable.from([tar]), { version: '2', t: 'own:1' });
    await new Promise((resolve, reject) =>
      client.modem.followProgress(built, (error, lines) => (error ? reject(error) : resolve(lines))),
    );
    t.match(await client.getImage('own:1').inspect(), { RepoTags: ['own:1'] });
  });
});

async function pour({ stdin }: ChildProcess, from: Iterable<Buffer>): Promise<void> {
  for (const chunk of from) if (!stdin!.write(chunk)) await once(stdin!, 'drain');
  stdin!.end();
}

/** A tar with one file of zeros. */
function* largeFile(count: number): Generator<Buffer> {
  yield encodeHeader(tarEntry({ path: 'large', type: 'file', mode: 0o644, size: count * mebibyte }));
  const piece = Buffer.alloc(mebibyte);
  for (let i = 0; i < count; i++) yield piece;
  yield tarEnd;
}
