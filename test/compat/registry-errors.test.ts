import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { issueAuthority, issueClient, issueServer } from '../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../provisioning/certs/key-pair.ts';
import { DockerRegistry } from '../helpers/docker-registry.ts';
import { serveNoNames } from '../helpers/no-names.ts';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { makeImage, putImage } from '../helpers/registry-image.ts';
import { call } from './http.ts';
import { failedRegistryRequests, type Registries } from './registry-errors.ts';
import { againstDockerd, cannotPlay, openSubject } from './subject.ts';

const skip = cannotPlay() ?? DockerRegistry.missing() ?? enterOwnNetwork({ mounts: true }) ?? false;
t.setTimeout(300_000);

/** Not loopback, where every registry may be insecure. */
const address = '10.66.77.1';
const certificates = '/etc/docker/certs.d';

const user = { name: 'anna', password: 'secret' };

t.test('what goes wrong with registries has the status and the sense of dockerd', { skip }, async (t) => {
  execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
  const files = t.testdir({});
  const file = (name: string, text: string) => {
    writeFileSync(join(files, name), text);
    return join(files, name);
  };
  // Only this test's mounts: nothing of the computer's is written to.
  mkdirSync('/etc/docker', { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/etc/docker']);
  execFileSync('mount', ['--bind', file('resolv.conf', 'nameserver 127.0.0.1\n'), '/etc/resolv.conf']);
  await serveNoNames(t);

  const key = await rsaPrivateKey(2048);
  const authority = issueAuthority({ key });
  const server = (name: string, names: readonly string[]) => ({
    cert: file(`${name}.pem`, issueServer({ authority, key, names, commonName: 'registry' }).cert),
    key: file('key.pem', key),
  });
  const clientCa = file('ca.pem', authority.cert);
  const its = server('its', [address]);
  const registries: Registries = {
    nobody: `${address}:1`,
    local: '127.0.0.1:1',
    plain: (await DockerRegistry.open(t, { address })).host,
    unknown: (await DockerRegistry.open(t, { address, tls: its })).host,
    known: (await DockerRegistry.open(t, { address, tls: its })).host,
    misnamed: (await DockerRegistry.open(t, { address, tls: server('other', ['10.1.1.1']) })).host,
    mutual: (await DockerRegistry.open(t, { address, tls: { ...its, clientCa } })).host,
    stranger: (await DockerRegistry.open(t, { address, tls: { ...its, clientCa } })).host,
    half: (await DockerRegistry.open(t, { address, tls: its })).host,
    open: (await DockerRegistry.open(t)).host,
    guarded: (await DockerRegistry.open(t, { user })).host,
  };
  const trust = (host: string, more: Readonly<Record<string, string>> = {}) => {
    mkdirSync(join(certificates, host), { recursive: true });
    for (const [name, text] of Object.entries({ 'ca.crt': authority.cert, ...more }))
      writeFileSync(join(certificates, host, name), text);
  };
  const { cert } = issueClient({ authority, key });
  trust(registries.known);
  trust(registries.misnamed);
  trust(registries.mutual, { 'client.cert': cert, 'client.key': key });
  trust(registries.stranger);
  trust(registries.half, { 'client.cert': cert });
  const image = makeImage({ layers: [{ files: [{ path: 'a', content: 'x' }] }] });
  await putImage(`http://${registries.open}`, 'app', image, '1');

  const subject = await openSubject(t, { direct: true });
  for (const host of Object.values(registries)) await subject.output(['tag', 'busybox', `${host}/own:1`]);
  for (const [title, line, credentials, statuses, message] of failedRegistryRequests(registries)) {
    const status = typeof statuses === 'number' ? statuses : statuses[againstDockerd ? 1 : 0];
    const auth = Buffer.from(JSON.stringify(credentials ?? {})).toString('base64url');
    const isLogin = line === 'POST /auth';
    const answer = await call(
      subject.socket,
      line,
      isLogin ? { body: credentials } : { headers: { 'X-Registry-Auth': auth } },
    );
    // What fails after the first line of a stream is its last.
    const last = answer.text.trim().split('\n').at(-1)!;
    const { message: said, error } = JSON.parse(last || '{}') as { message?: string; error?: string };
    const found = `${answer.status} ${said ?? error ?? last}`;
    t.ok(answer.status === status && message.test(said ?? error ?? last), title, {
      expected: `${status} ${message}`,
      found,
    });
  }
  // With the right files it works, to and fro.
  for (const host of [registries.known, registries.mutual]) {
    t.match(await subject.output(['push', `${host}/own:1`]), /1: digest: sha256:/);
    t.match(await subject.output(['pull', `${host}/own:1`]), /up to date/);
  }
  t.notOk(existsSync(join(certificates, registries.unknown)));
});
