import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { runCommand } from '../helpers/run-command.ts';
import { eventually, inNode, untilUp } from './guest-programs.ts';
import { MachineHarness } from './machine-harness.ts';
import { testConnections } from './port-connections-suite.ts';

/** Published ports as people see them: docker, curl, socat and ss of this computer against containers of a VM. */
const missing = MachineHarness.missing();

/** Listeners of this computer at a port, such as `tcp 127.0.0.1`. */
async function listeners(port: number): Promise<string[]> {
  const { stdout } = await runCommand('ss', ['-Hltun', `sport = :${port}`]);
  const rows = stdout.split('\n').filter((line) => line !== '');
  return rows
    .map((row) => row.split(/\s+/))
    .map((f) => `${f[0]} ${f[4]!.replace(/:\d+$/, '')}`)
    .sort();
}

async function curl(url: string): Promise<string> {
  const { stdout, exitCode } = await runCommand('curl', ['-gsS', '-m', '20', url]);
  return exitCode === 0 ? stdout : `curl: ${exitCode}`;
}

t.test('published ports', { ...(missing && { skip: missing }), timeout: 1_800_000 }, async (t) => {
  const harness = await MachineHarness.open();
  t.teardown(() => harness.close());
  const created = await harness.machine(['create', 'dev']);
  t.equal(created.exitCode, 0, created.stderr);
  const env = await harness.environment('dev');
  const tryDocker = (...args: string[]) => runCommand('docker', args, { env: { ...harness.env, ...env } });
  const docker = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await tryDocker(...args);
    if (exitCode !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  };
  const supervisor = async () =>
    JSON.parse(await readFile(`${harness.store}/machines/dev/supervisor.json`, 'utf8')) as { pid: number };
  const qemu = async () => {
    const { stdout } = await runCommand('ss', ['-Hltnp', `sport = :${new URL(env.DOCKER_HOST!).port}`]);
    return Number(/pid=(\d+)/.exec(stdout)![1]);
  };
  const web = ['busybox', 'httpd', '-f', '-p', '80', '-h', '/etc'];

  await t.test(
    'are there when docker run returns, at the loopback, and gone when docker stop does',
    async (t) => {
      await docker('run', '-d', '--name', 'web', '-h', 'web', '-p', '18500:80', ...web);
      t.strictSame(await listeners(18_500), ['tcp 127.0.0.1']);
      t.equal(await curl('http://localhost:18500/hostname'), 'web\n');
      t.equal(await docker('ps', '--format', '{{.Ports}}'), '127.0.0.1:18500->80/tcp');
      await docker('stop', '-t', '0', 'web');
      t.strictSame(await listeners(18_500), []);
      await docker('start', 'web');
      t.equal(await curl('http://localhost:18500/hostname'), 'web\n', 'and there again');
      await docker('rm', '-f', 'web');
      t.strictSame(await listeners(18_500), []);
    },
  );

  await t.test('are where they were asked for', async (t) => {
    const places = [
      '127.0.0.1:18501:80',
      '0.0.0.0:18502:80',
      '[::1]:18503:80',
      '[::]:18504:80',
      '18510-18514:80-84',
    ];
    await docker(
      'run',
      '-d',
      '--name',
      'web',
      '-h',
      'web',
      ...places.flatMap((place) => ['-p', place]),
      ...web,
    );
    t.strictSame(await listeners(18_501), ['tcp 127.0.0.1']);
    t.strictSame(await listeners(18_502), ['tcp 0.0.0.0']);
    t.strictSame(await listeners(18_503), ['tcp [::1]']);
    t.strictSame(await listeners(18_504), ['tcp [::]']);
    t.equal(await curl('http://127.0.0.1:18501/hostname'), 'web\n');
    t.equal(await curl('http://127.0.0.2:18502/hostname'), 'web\n', 'any address');
    t.equal(await curl('http://[::1]:18503/hostname'), 'web\n');
    t.equal(await curl('http://[::1]:18504/hostname'), 'web\n');
    t.equal(await curl('http://127.0.0.1:18510/hostname'), 'web\n', 'the first of a range');
    t.strictSame(await listeners(18_514), ['tcp 127.0.0.1'], 'and the last');
    const [address] = (await runCommand('hostname', ['-I'])).stdout
      .trim()
      .split(' ')
      .filter((a) => a.includes('.'));
    if (address)
      t.equal(await curl(`http://${address}:18502/hostname`), 'web\n', 'by the address of a network');
    await docker('rm', '-f', 'web');
    for (const port of [18_501, 18_502, 18_503, 18_504, 18_510, 18_514])
      t.strictSame(await listeners(port), []);
  });

  await t.test('UDP, by IPv4 and IPv6, many clients at once', async (t) => {
    const echo =
      'const s=require("dgram").createSocket("udp4");s.on("message",(m,f)=>s.send("re "+m,f.port,f.address));s.bind(53,()=>console.log("up"))';
    await docker(
      'run',
      '-d',
      '--name',
      'udp',
      '-p',
      '18520:53/udp',
      '-p',
      '[::1]:18521:53/udp',
      ...inNode(echo),
    );
    await untilUp(t, docker, 'udp');
    t.strictSame(await listeners(18_520), ['udp 127.0.0.1']);
    const ask = (word: string, address: string) =>
      runCommand('sh', ['-c', `(echo ${word}; sleep 2) | timeout 3 socat -t 1 - ${address}`]);
    const words = Array.from({ length: 10 }, (_, i) => `word${i}`);
    const answers = await Promise.all(
      words.map((word, i) => ask(word, i % 2 ? 'UDP6:[::1]:18521' : 'UDP:127.0.0.1:18520')),
    );
    t.strictSame(
      answers.map(({ stdout }) => stdout.trim()),
      words.map((word) => `re ${word}`),
    );
    await docker('rm', '-f', 'udp');
    t.strictSame(await listeners(18_520), []);
  });

  await t.test('a taken port is an error that names who has it, and leaves nothing', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const run = (...ports: string[]) =>
      tryDocker('run', '--rm', '--name', 'taken', ...ports.flatMap((p) => ['-p', p]), 'busybox', 'true');
    const refused = await run('18530:80', `${port}:81`);
    t.equal(refused.exitCode, 125);
    t.match(refused.stderr, /driver failed programming external connectivity on endpoint taken \(\w{64}\): /);
    t.match(
      refused.stderr,
      `failed to bind host port for 127.0.0.1:${port}/tcp: address already in use (node, process ${process.pid}`,
    );
    t.strictSame(await listeners(18_530), []);
    server.close();
    t.equal((await run('18530:80', `${port}:81`)).exitCode, 0, 'free again, it is given');
    t.match(
      (await run('192.0.2.9:18531:80')).stderr,
      /cannot assign requested address; this computer has no address 192\.0\.2\.9/,
    );
    const api = new URL(env.DOCKER_HOST!).port;
    t.match(
      (await run(`${api}:80`)).stderr,
      /Bind for .* failed: port is already allocated \(the Docker API of machine "dev" is there: publish another/,
    );
    await docker('run', '-d', '--name', 'first', '-p', '18532:80', ...web);
    t.match((await run('18532:80')).stderr, /Bind for 127\.0\.0\.1:18532 failed: port is already allocated/);
    await docker('rm', '-f', 'first');
  });

  await t.test("the ways of relays are in nobody else's way", async (t) => {
    await docker('run', '-d', '--name', 'web', '-h', 'web', '-p', '18533:80', ...web);
    const pid = await qemu();
    const ways = async () =>
      (await runCommand('ss', ['-Hltnp'])).stdout
        .split('\n')
        .filter((row) => row.includes(`pid=${pid},`))
        .map((row) => row.split(/\s+/)[3]!)
        .filter((place) => !place.startsWith('127.0.0.1:'));
    const [way = '', ...others] = await ways();
    t.match(way, /^127\.\d+\.\d+\.\d+:6\d{4}$/);
    t.strictSame(others, []);
    // Held open while its way moves.
    const socket = connect({ host: '127.0.0.1', port: 18_533 });
    await once(socket, 'connect');
    await delay(500);
    await docker('run', '-d', '--name', 'other', '-h', 'other', '-p', `${way}:80`, ...web);
    t.equal(await curl(`http://${way}/hostname`), 'other\n');
    t.notOk((await ways()).includes(way), 'the relay listens there');
    socket.write('GET /hostname HTTP/1.0\r\n\r\n');
    const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(60_000) });
    t.match(String(answer), /200 OK/, 'not cut');
    socket.destroy();
    t.equal(await curl('http://127.0.0.1:18533/hostname'), 'web\n');
    await docker('rm', '-f', 'web', 'other');
    t.strictSame(await ways(), []);
  });

  await t.test("a port of the engine's own choice is free on this computer too", async (t) => {
    const servers = await Promise.all(
      Array.from({ length: 4 }, async (_, i) => {
        const server = createServer().listen(32_768 + i, '127.0.0.1');
        await once(server, 'listening').catch(() => {});
        return server;
      }),
    );
    await docker('run', '-d', '--name', 'any', '-p', '80', ...web);
    const place = await docker('port', 'any', '80');
    t.match(place, /^127\.0\.0\.1:\d+$/);
    t.match(await curl(`http://${place}/hostname`), /\w+/);
    for (const server of servers) server.close();
    await docker('rm', '-f', 'any');
  });

  await testConnections(t, { harness, docker, supervisor, qemu });

  await t.test('survive the supervisor and the agent', async (t) => {
    await docker(
      'run',
      '-d',
      '--name',
      'stays',
      '-h',
      'stays',
      '-p',
      '18570:80',
      '-p',
      '[::1]:18571:80',
      ...web,
    );
    await docker('run', '-d', '--name', 'goes', '-p', '18572:80/udp', ...web);
    const { pid } = await supervisor();
    process.kill(pid, 'SIGKILL');
    while ((await runCommand('kill', ['-0', String(pid)])).exitCode === 0) await delay(50);
    await docker('rm', '-f', 'goes');
    t.strictSame(await listeners(18_572), ['udp 127.0.0.1'], 'nobody could remove it');
    const status = await harness.machine(['env', 'dev']);
    t.equal(status.exitCode, 0);
    await eventually(
      t,
      async () => (await listeners(18_571)).length === 1 && (await listeners(18_572)).length === 0,
    );
    t.equal(await curl('http://127.0.0.1:18570/hostname'), 'stays\n', 'with the next supervisor');
    t.equal(await curl('http://[::1]:18571/hostname'), 'stays\n');
    t.strictSame(await listeners(18_572), [], 'what was stale is gone');

    const reading = holdsOpen('http://127.0.0.1:18570/hostname');
    await harness.machine(['ssh', 'dev', 'read -r p </run/machine/agent.pid; kill -9 $p']);
    t.equal(await reading, true, 'not refused while the agent is away');
    await eventually(t, async () => (await tryDocker('version')).exitCode === 0);
    await docker('run', '-d', '--name', 'new', '-p', '18573:80', ...web);
    t.strictSame(await listeners(18_573), ['tcp 127.0.0.1'], 'and it is followed again');
    await docker('rm', '-f', 'stays', 'new');
    t.strictSame([await listeners(18_570), await listeners(18_573)], [[], []]);
  });

  await t.test('this computer has names in every container, and they lead to its loopback', async (t) => {
    const server = createServer((client) => client.end('your computer\n')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const read = (name: string) => `nc ${name} ${port} </dev/null`;
    const ask = (options: readonly string[], script: string) =>
      docker('run', '--rm', ...options, 'busybox', 'sh', '-c', script);
    t.equal(await ask([], read('host.docker.internal')), 'your computer');
    t.equal(await ask([], read('gateway.docker.internal')), 'your computer');
    t.equal(await ask(['--add-host', 'mine:host-gateway'], read('mine')), 'your computer');
    await docker('network', 'create', 'lan');
    t.equal(await ask(['--network', 'lan'], read('host.docker.internal')), 'your computer');
    t.match(await ask(['--network', 'lan'], 'nslookup host.docker.internal 127.0.0.11'), '10.0.2.2');
    t.equal(await ask(['--network', 'host'], read('host.docker.internal')), 'your computer');
    const own = ['--add-host', 'host.docker.internal:192.0.2.1'];
    t.match(await ask(own, 'grep host.docker /etc/hosts'), /^192\.0\.2\.1\thost\.docker\.internal$/);
    await docker('network', 'rm', 'lan');
    server.close();
  });

  await t.test('come back with the machine', async (t) => {
    await docker(
      'run',
      '-d',
      '--name',
      'web',
      '-h',
      'web',
      '--restart',
      'always',
      '-p',
      '18580:80',
      '-p',
      '[::1]:18581:80',
      ...web,
    );
    const stopped = await harness.machine(['stop', 'dev']);
    t.equal(stopped.exitCode, 0, stopped.stderr);
    t.strictSame([await listeners(18_580), await listeners(18_581)], [[], []], 'gone with the machine');
    const api = Number(new URL(env.DOCKER_HOST!).port);
    const other = createServer().listen(api, '127.0.0.1');
    await once(other, 'listening');
    const started = await harness.machine(['start', 'dev']);
    t.equal(started.exitCode, 0, started.stderr);
    other.close();
    t.match(started.stderr, `port ${api} is taken by another program; the Docker API of "dev" is at `);
    t.match(started.stderr, 'in shells that use it, type eval "$(machine env dev)" again');
    await eventually(t, async () => (await curl('http://127.0.0.1:18580/hostname')) === 'web\n');
    t.equal(await curl('http://[::1]:18581/hostname'), 'web\n');
    t.notMatch(
      await readFile(`${harness.store}/machines/dev/supervisor.log`, 'utf8'),
      /ports: failed, and is run again/,
    );
  });
});

/** Whether a page can be had all the time for five seconds. */
async function holdsOpen(url: string): Promise<boolean> {
  const script = `for i in $(seq 10); do curl -sS -m 20 -o /dev/null ${url} || exit 1; sleep 0.5; done`;
  const child = spawn('sh', ['-c', script], { stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  return code === 0;
}
