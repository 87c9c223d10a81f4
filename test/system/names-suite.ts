import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { parseQuestion, response } from '../../guest/dns/message.ts';
import { addressData } from '../../guest/dns/record-data.ts';
import { nameServer } from '../helpers/dns-messages.ts';
import type { FakeRegistry } from '../helpers/fake-registry.ts';
import { makeImage } from '../helpers/registry-image.ts';
import { type CommandResult, runCommand } from '../helpers/run-command.ts';
import type { MachineHarness } from './machine-harness.ts';

/** Nobody's; a daemon of this computer's has 127.0.0.53. */
const serverAddress = '127.53.53.53';
/** A name of this computer's hosts file alone, at its loopback. */
export const registryName = 'registry.names.test';

export interface NamesSubject {
  readonly harness: MachineHarness;
  /** The engine takes it as {@link registryName}, without TLS. */
  readonly registry: FakeRegistry;
  docker(...args: string[]): Promise<CommandResult>;
  /** Ends the supervisor of "dev", and waits until it is gone. */
  killSupervisor(): Promise<unknown>;
}

/**
 * The machine "dev" with a supervisor that lives in a mount namespace of its own, where the hosts file and the name
 * servers are the test's. Only for root on Linux.
 */
export async function testNames(
  t: Test,
  { harness, registry, docker, killSupervisor }: NamesSubject,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'names-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const [hosts, resolvConf] = [join(directory, 'hosts'), join(directory, 'resolv.conf')];
  const hostsFile = (...lines: string[]) =>
    writeFile(hosts, ['127.0.0.1 localhost', ...lines, ''].join('\n'));
  const own = `127.0.0.1 ${registryName}`;
  await hostsFile(own, '10.11.12.13 in-hosts.test');
  // The first server is not there.
  await writeFile(resolvConf, `search corp.test\nnameserver 127.53.53.54\nnameserver ${serverAddress}\n`);
  const asked: string[] = [];
  await nameServer(
    t,
    (query, transport) => {
      const question = parseQuestion(query)!;
      asked.push(`${transport} ${question.name} ${question.type}`);
      if (question.name.endsWith('silent.test')) return null;
      const records = recordsOf(question.name, question.type);
      const answer = response(query, question, {
        code: records === null ? 3 : 0,
        records: records ?? [],
        ttlSeconds: 60,
      });
      const isCut = transport === 'udp' && answer.length > 512;
      if (isCut) answer[2]! |= 2;
      return isCut ? answer.subarray(0, question.end) : answer;
    },
    { host: serverAddress, port: 53 },
  );
  await killSupervisor();
  const script = `mount --bind ${hosts} /etc/hosts; mount --bind ${resolvConf} /etc/resolv.conf; exec "$@"`;
  const started = await runCommand(
    'unshare',
    ['-m', 'sh', '-ec', script, 'sh', process.execPath, 'cli/bin/machine.mjs', 'env', 'dev'],
    { env: harness.env },
  );
  t.equal(started.exitCode, 0, started.stderr);

  const busybox = async (options: readonly string[], ...command: string[]) =>
    await docker('run', '--rm', ...options, 'busybox', ...command);
  /** All by one container, whose start is what takes long. */
  const lookedUp = async (options: readonly string[], ...queries: string[]) => {
    const each = 'for query; do nslookup $query 2>&1; echo ==; done';
    const { stdout } = await busybox(options, 'sh', '-c', each, 'sh', ...queries);
    return stdout.split('==\n').slice(0, -1);
  };
  const addressIn = async (options: readonly string[], name: string) =>
    addressOf((await lookedUp(options, `-type=a ${name}`))[0]);
  const whenReady = async () => {
    const deadline = Date.now() + 30_000;
    while ((await addressIn([], 'in-hosts.test')) !== '10.11.12.13')
      if (Date.now() > deadline) throw new Error('the host does not resolve');
  };
  await whenReady();

  await t.test('all containers resolve names as this computer does, from its hosts file on', async (t) => {
    await docker('network', 'create', 'names');
    for (const options of [[], ['--network', 'names'], ['--network', 'host']]) {
      const [hosts, second] = await lookedUp(options, '-type=a in-hosts.test', '-type=a vpn.test');
      t.equal(addressOf(hosts), '10.11.12.13', `hosts file ${options}`);
      t.equal(addressOf(second), '10.20.30.40', `the second name server ${options}`);
    }
    await docker('network', 'rm', 'names');
    const queries = ['-type=a nowhere.test', '-type=mx vpn.test', '-type=a web'];
    const [none, mail, searched] = await lookedUp([], ...queries);
    t.match(none, /Server:\s+10\.0\.2\.53\b/);
    t.match(none, /NXDOMAIN/);
    t.match(mail, /mail exchanger = 10 mx/);
    t.match(searched, /NXDOMAIN/, 'no search domains');
    t.notOk(asked.includes('udp web.corp.test 1'));
  });

  await t.test('steps of a build do', async (t) => {
    const dockerfile = 'FROM busybox\nRUN nslookup -type=a in-hosts.test | tee /said\n';
    await writeFile(join(directory, 'Dockerfile'), dockerfile);
    const built = await docker('build', '-q', '-t', 'named', directory);
    t.equal(built.exitCode, 0, built.stderr);
    t.match((await docker('run', '--rm', 'named', 'cat', '/said')).stdout, /Address: 10.11.12.13/);
  });

  await t.test(
    'a name at this computer’s loopback is this computer: for containers, and for a pull',
    async (t) => {
      const image = makeImage({ layers: [{ files: [{ path: 'hello', content: 'from here' }] }] });
      registry.put('app', image);
      const port = registry.host.split(':')[1];
      const got = await busybox([], 'wget', '-qO-', `http://${registryName}:${port}/v2/app/manifests/1`);
      t.match(got, { exitCode: 0, stdout: /schemaVersion/ }, got.stderr);
      const pulled = await docker('pull', `${registryName}:${port}/app:1`);
      t.match(pulled, { exitCode: 0 }, pulled.stderr);
      t.equal(await addressIn([], 'localhost'), '127.0.0.1');
    },
  );

  await t.test('a changed hosts file counts for the next question', async (t) => {
    await hostsFile(own, '10.11.12.14 in-hosts.test');
    t.equal(await addressIn([], 'in-hosts.test'), '10.11.12.14');
    await hostsFile(own);
    t.equal(await addressIn([], 'in-hosts.test'), undefined);
    await hostsFile(own, '10.11.12.13 in-hosts.test');
  });

  await t.test('a large answer comes by TCP, to a client of another make', async (t) => {
    const program = `const { Resolver } = require('node:dns').promises; const it = new Resolver();
      it.setServers(['10.0.2.53']); it.resolveTxt('large.test').then((all) => console.log(all.length, all[0].join('').length))`;
    t.equal(await harness.succeed('ssh', 'dev', `node -e "${program}"`), '20 200');
    t.ok(asked.includes('tcp large.test 16'));
  });

  await t.test('a server of the user’s own is asked straight away', async (t) => {
    const [said] = await lookedUp(['--dns', '10.0.2.3'], '-type=a in-hosts.test');
    t.match(said, /Server:\s+10.0.2.3\b/);
    t.equal(addressOf(said), undefined);
  });

  await t.test('port 53 is the containers’, in the host’s network, too', async (t) => {
    await docker('run', '-d', '--name', 'has53', '--network', 'host', 'busybox', 'httpd', '-f', '-p', '53');
    t.equal((await docker('inspect', '-f', '{{.State.Running}}', 'has53')).stdout, 'true\n');
    t.equal(await addressIn(['--network', 'host'], 'in-hosts.test'), '10.11.12.13');
    await docker('rm', '-f', 'has53');
  });

  await t.test(
    'a container that asks for names which nobody answers for leaves the others theirs',
    async (t) => {
      const flood = 'for i in $(seq 60); do nslookup -type=a $i.silent.test >/dev/null & done; sleep 60';
      await docker('run', '-d', '--name', 'flood', 'busybox', 'sh', '-c', flood);
      t.equal(await addressIn([], 'vpn.test'), '10.20.30.40');
      t.equal(await addressIn(['--network', 'host'], 'vpn.test'), '10.20.30.40');
      t.ok(asked.filter((one) => one.includes('silent.test')).length > 0, 'while it asks');
      await docker('rm', '-f', 'flood');
    },
  );

  await t.test('without a supervisor QEMU is asked', async (t) => {
    // The socket is the supervisor's.
    const env = { ...harness.env, ...(await harness.environment('dev')) };
    const ask = async () => {
      const command = ['run', '--rm', 'busybox', 'nslookup', '-type=a', 'in-hosts.test'];
      return (await runCommand('docker', command, { env })).stdout;
    };
    t.match(await ask(), /Address: 10.11.12.13/);
    await killSupervisor();
    const since = Date.now();
    const without = await ask();
    t.match(without, /Server:\s+10.0.2.53/);
    t.notMatch(without, /10.11.12.13/);
    t.ok(Date.now() - since < 30_000, 'nobody waits for one that is not there');
  });
}

/** Why this computer cannot run it; undefined when it can. */
export function namesMissing(): string | undefined {
  if (process.getuid?.() !== 0 || !existsSync('/proc/self/ns/mnt')) return 'needs to be root on Linux';
  return undefined;
}

/** What busybox's nslookup found; nothing where no container ran. */
function addressOf(said: string | undefined): string | undefined {
  return said?.match(/Name:.*\nAddress: (.*)/)?.[1];
}

/** What the test's name server has; null: no such name. */
function recordsOf(name: string, type: number): Buffer[] | null {
  const [a, mx, txt] = [1, 15, 16];
  if (name === 'vpn.test') {
    if (type === mx) return [Buffer.from('\0\n\u0002mx\0', 'latin1')];
    return type === a ? [addressData('10.20.30.40')] : [];
  }
  if (name === 'web.corp.test') return type === a ? [addressData('10.99.99.99')] : [];
  if (name !== 'large.test') return null;
  return type === txt
    ? Array.from({ length: 20 }, (_, i) => Buffer.from([200, ...Array(200).fill(65 + i)]))
    : [];
}
