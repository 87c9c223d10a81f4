import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import t from 'tap';
import { issueAuthority, issueClient, issueServer } from '../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../provisioning/certs/key-pair.ts';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test(
  'the stock CLI works over mutual TLS, and SIGHUP renews the certificate in place',
  { skip },
  async (t) => {
    const directory = t.testdir({});
    const file = (name: string) => join(directory, name);
    const key = await rsaPrivateKey(2048);
    const authority = issueAuthority({ key });
    const names = ['127.0.0.1'];
    await writeFile(file('ca.pem'), authority.cert);
    await writeFile(file('server.pem'), issueServer({ authority, key, names, commonName: 'first' }).cert);
    await writeFile(file('key.pem'), key);
    await writeFile(file('cert.pem'), issueClient({ authority, key }).cert);
    const engine = await EngineHarness.open(t, [
      ...['--host', 'tcp://127.0.0.1:0', '--tlscacert', file('ca.pem')],
      ...['--tlscert', file('server.pem'), '--tlskey', file('key.pem')],
    ]);
    const url = engine.addresses.find((address) => address.startsWith('tcp://'))!;
    const env = { DOCKER_HOST: url, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: directory };
    t.match(await engine.output(['version'], { env }), 'Server: machine');
    t.match(await engine.docker(['-H', url, 'version'], { env: { DOCKER_TLS_VERIFY: '' } }), { exitCode: 1 });

    t.equal(await commonName(url), 'first');
    await writeFile(file('server.pem'), issueServer({ authority, key, names, commonName: 'second' }).cert);
    const renewed = engine.logged('certificates renewed');
    process.kill(engine.pid, 'SIGHUP');
    await renewed;
    t.equal(await commonName(url), 'second');
    t.match(await engine.output(['version'], { env }), 'Server: machine');
  },
);

/** Of the certificate that the server shows; who asks needs none of its own for that. */
async function commonName(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  const certificate = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  return /CN=(.*)/.exec(certificate.subject)?.[1];
}
