import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import ssh2 from 'ssh2';
import t from 'tap';
import { Unavailable, Untrusted } from '../../drivers/errors.ts';
import { MachineStore } from '../../provisioning/machine-store.ts';
import { storePaths } from '../../provisioning/paths.ts';
import { connectSsh } from '../../provisioning/ssh/connection.ts';
import { ed25519KeyPair } from '../../provisioning/ssh/key-pair.ts';
import { sshMaterial } from '../../provisioning/ssh/keys.ts';
import { hostVerifier } from '../../provisioning/ssh/known-hosts.ts';
import { sshSession } from '../../provisioning/ssh/session.ts';
import { systemSshArgs } from '../../provisioning/ssh/system-ssh.ts';
import { localSshTarget } from '../helpers/local-ssh-target.ts';

/** An SSH server that says which command it was given, repeats its input and exits with 7. */
async function serve(t: { teardown(work: () => void): void }, hostKey: string, authorizedKey: string) {
  const authorized = ssh2.utils.parseKey(authorizedKey) as ssh2.ParsedKey;
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      const known = context.method === 'publickey' && context.key.data.equals(authorized.getPublicSSH());
      return known ? context.accept() : context.reject(['publickey']);
    });
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.write(`${command}: `);
        channel.on('data', (chunk: Buffer) => channel.write(chunk));
        channel.on('end', () => {
          channel.exit(7);
          channel.end();
        });
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test('a key pair is made again when its public key lacks a zero', async (t) => {
  const blob = (bytes: number) =>
    Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 '), Buffer.alloc(bytes, 1)]).toString('base64');
  const made = [31, 31, 32].map((bytes) => ({ private: 'p', public: `ssh-ed25519 ${blob(bytes)} me` }));
  const right = made[2];
  t.equal(await ed25519KeyPair('me', async () => made.shift()!), right);
  t.match((await ed25519KeyPair('me')).public, /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI\S{43} me$/);
});

t.test('SSH to a machine', async (t) => {
  const store = new MachineStore(storePaths(t.testdir()));
  await store.makeDirectory('dev');
  const paths = store.machine('dev');
  const material = await sshMaterial(paths, 'dev');
  const port = await serve(t, material.hostKey, material.publicKey);
  const target = localSshTarget(paths, port);

  await t.test('keys are made once, and private ones are the owner’s alone', async (t) => {
    t.same(await sshMaterial(paths, 'dev'), material);
    t.match(material.publicKey, /^ssh-ed25519 \S+ machine-dev$/);
    for (const path of [paths.sshKey, paths.sshHostKey]) t.equal((await stat(path)).mode & 0o777, 0o600);
  });

  await t.test('the built-in client runs a command with its input, output and exit code', async (t) => {
    await using connection = await connectSsh(target);
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const output = text(stdout);
    stdin.end('abc');
    const streams = { stdin, stdout, stderr: new PassThrough() };
    t.equal(await sshSession(connection, 'echo it', streams), 7);
    stdout.end();
    t.equal(await output, 'echo it: abc');
  });

  await t.test('a server with another key is not talked to', async (t) => {
    const other = await ed25519KeyPair('');
    const impostor = await serve(t, other.private, material.publicKey);
    await t.rejects(connectSsh({ ...target, port: impostor }), { name: Unavailable.name });
  });

  await t.test('without a pinned key nothing is trusted', async (t) => {
    await t.rejects(hostVerifier(paths.knownHosts, 'machine-other'), { name: Untrusted.name });
    const empty = `${paths.directory}/empty`;
    await writeFile(empty, '');
    await t.rejects(connectSsh({ ...target, knownHosts: empty }), { name: Untrusted.name });
    t.match(await readFile(paths.knownHosts, 'utf8'), /^machine-dev ssh-ed25519 \S+\n$/);
  });

  await t.test('the system’s ssh is told to insist on the pinned key', async (t) => {
    const args = systemSshArgs({ ...target, knownHosts: '/a b/100%/known_hosts' });
    t.ok(args.includes('StrictHostKeyChecking=yes'));
    t.ok(args.includes('UserKnownHostsFile="/a b/100%%/known_hosts"'));
    t.equal(args.at(-1), 'root@127.0.0.1');
  });
});
