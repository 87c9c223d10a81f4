import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import t from 'tap';
import { issueAuthority, issueServer } from '../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../provisioning/certs/key-pair.ts';
import { hostAuthorities } from '../../provisioning/host-authorities.ts';
import { hostProxies } from '../../provisioning/host-proxies.ts';

t.test('proxies are taken by either name, and those that are set only', async (t) => {
  t.same(
    hostProxies({ http_proxy: 'http://a:1', HTTPS_PROXY: 'http://b:1', https_proxy: 'x', NO_PROXY: '' }),
    {
      HTTP_PROXY: 'http://a:1',
      HTTPS_PROXY: 'http://b:1',
    },
  );
  t.same(hostProxies({ no_proxy: '.local', ALL_PROXY: 'socks5://c:1' }), { NO_PROXY: '.local' });
});

t.test('authorities are found in directories and in Node’s file, each once, and nothing else', async (t) => {
  const key = await rsaPrivateKey(2048);
  const [one, two] = [issueAuthority({ key }), issueAuthority({ key })];
  const server = issueServer({ authority: one, key, commonName: 'x', names: ['localhost'] });
  const directory = t.testdir({
    company: { 'proxy.crt': `# the proxy\n${one.cert}\n${one.cert}` },
    'server.pem': server.cert,
    'notes.txt': two.cert,
    'broken.crt': '-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n',
  });
  const found = await hostAuthorities({ directories: [directory, join(directory, 'nowhere')], env: {} });
  t.equal(found.length, 1);
  t.match(found[0], /^-----BEGIN CERTIFICATE-----/);
  const extra = join(directory, 'extra');
  await writeFile(extra, two.cert);
  const env = { NODE_EXTRA_CA_CERTS: extra };
  t.equal((await hostAuthorities({ directories: [directory], env })).length, 2);
  t.same(await hostAuthorities({ directories: [], env: { NODE_EXTRA_CA_CERTS: '/nowhere' } }), []);
  const store = () => [...rootCertificates, two.cert, 'nothing'];
  t.equal(
    (await hostAuthorities({ directories: [directory], env, store })).length,
    2,
    'and a store, each once',
  );
});

t.test('of a whole bundle, only what is not well-known is handed on', async (t) => {
  const own = issueAuthority({ key: await rsaPrivateKey(2048) });
  const bundle = [...rootCertificates.map((pem) => pem.replaceAll('\n', '\r\n')), own.cert].join('\n');
  const file = join(t.testdir({ 'ca-bundle.crt': bundle }), 'ca-bundle.crt');
  const found = await hostAuthorities({ directories: [], env: { NODE_EXTRA_CA_CERTS: file } });
  t.equal(found.length, 1);
  t.equal(found[0]?.trim(), own.cert.replaceAll('\r', '').trim());
});
