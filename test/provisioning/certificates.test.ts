import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { daysLeft, expiresSoon } from '../../provisioning/certs/expiry.ts';
import { machineCertificates } from '../../provisioning/certs/machine-certificates.ts';
import { storeCertificates } from '../../provisioning/certs/store-certificates.ts';
import { engineVersion } from '../../provisioning/engine-api.ts';
import { MachineStore } from '../../provisioning/machine-store.ts';
import { storePaths } from '../../provisioning/paths.ts';
import { exampleRecord } from './example-record.ts';

const dayMs = 86_400_000;

t.test('a machine’s certificates', async (t) => {
  const store = new MachineStore(storePaths(t.testdir()));
  await store.makeDirectory('dev');
  const paths = store.machine('dev');
  const record = exampleRecord();
  const { ca, server } = await machineCertificates(store.paths, paths, record);
  const authority = new X509Certificate(ca);
  const client = new X509Certificate(await readFile(paths.cert));

  await t.test('are signed by the store’s authority and last', async (t) => {
    for (const cert of [new X509Certificate(server.cert), client]) {
      t.ok(cert.verify(authority.publicKey));
      t.ok(cert.checkIssued(authority));
      t.notOk(cert.ca);
      t.ok(Date.parse(cert.validFrom) < Date.now() - 4 * 60_000, 'a guest’s clock may be behind');
    }
    t.ok(authority.ca);
    t.equal(daysLeft(ca), 3649);
    t.equal(daysLeft(server.cert), 1079);
  });

  await t.test('name what the engine is reached by', async (t) => {
    const cert = new X509Certificate(server.cert);
    for (const name of ['dev', 'localhost', 'dev.example']) t.ok(cert.checkHost(name), name);
    for (const ip of ['127.0.0.1', '::1']) t.ok(cert.checkIP(ip), ip);
    t.notOk(cert.checkIP('10.0.2.15'));
  });

  await t.test('keep keys from others', async (t) => {
    for (const path of [paths.key, paths.serverKey, store.paths.certs.caKey])
      t.equal((await stat(path)).mode & 0o777, 0o600);
  });

  await t.test('let a client with the certificate in, and nobody else', async (t) => {
    const listening = createServer(
      { ca, cert: server.cert, key: server.key, requestCert: true, rejectUnauthorized: true },
      (_request, response) => response.end('{"Version":"1.2.3","ApiVersion":"1.50"}'),
    ).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    t.teardown(() => listening.close());
    const { port } = listening.address() as AddressInfo;
    const url = `tcp://127.0.0.1:${port}`;
    t.same(await engineVersion(url, paths, { signal: AbortSignal.timeout(10_000) }), {
      version: '1.2.3',
      apiVersion: '1.50',
    });
    await t.rejects(once(request({ host: '127.0.0.1', port, ca, agent: false }).end(), 'response'));
  });

  await t.test('are made once', async (t) => {
    const again = await machineCertificates(store.paths, paths, record);
    t.equal(again.ca, ca);
    t.equal(again.server.cert, server.cert);
    t.equal(await readFile(paths.cert, 'utf8'), client.toString());
  });

  await t.test('are renewed before they expire, under the same authority', async (t) => {
    const later = new Date(Date.now() + 1030 * dayMs);
    const renewed = await machineCertificates(store.paths, paths, record, { now: later });
    t.equal(renewed.ca, ca);
    t.not(renewed.server.cert, server.cert);
    t.notOk(expiresSoon(renewed.server.cert, later));
    t.notOk(expiresSoon(await readFile(paths.cert, 'utf8'), later));
  });
});

t.test('an authority whose key is missing is not replaced', async (t) => {
  const { certs, ...rest } = storePaths(t.testdir({ certs: { 'ca.pem': 'here' } }));
  await t.rejects(storeCertificates({ certs, ...rest }), { message: /its key .*ca-key.pem" is not/ });
  t.equal(await readFile(certs.ca, 'utf8'), 'here');
});

t.test('stores made at once by many agree on one authority', async (t) => {
  const paths = storePaths(t.testdir());
  const made = await Promise.all([1, 2, 3].map(() => storeCertificates(paths)));
  t.equal(new Set(made.map(({ authority }) => authority.cert)).size, 1);
});

t.test('the end of a certificate after 2049 is understood', async (t) => {
  const { issueAuthority } = await import('../../provisioning/certs/issue.ts');
  const { rsaPrivateKey } = await import('../../provisioning/certs/key-pair.ts');
  const now = new Date('2045-06-01T00:00:00Z');
  const { cert } = issueAuthority({ key: await rsaPrivateKey(2048), now });
  t.equal(daysLeft(cert, now), 3650);
  t.throws(() => daysLeft('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'));
});
