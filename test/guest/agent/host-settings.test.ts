import { X509Certificate } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import t from 'tap';
import { proxiesFrom } from '../../../guest/agent/host-settings.ts';
import { trustAuthorities } from '../../../guest/host/authorities.ts';
import { issueAuthority } from '../../../provisioning/certs/issue.ts';
import { rsaPrivateKey } from '../../../provisioning/certs/key-pair.ts';

t.test('a proxy at the host’s loopback is at the host’s address from here', async (t) => {
  const rows: [string, string][] = [
    ['http://localhost:3128', 'http://10.0.2.2:3128'],
    ['http://me:secret@127.0.0.1:3128/', 'http://me:secret@10.0.2.2:3128'],
    ['127.0.1.1:8080', 'http://10.0.2.2:8080'],
    ['http://[::1]:3128', 'http://10.0.2.2:3128'],
    ['http://proxy.example:3128', 'http://proxy.example:3128'],
    ['proxy.example:3128', 'proxy.example:3128'],
    ['http://127.example:1', 'http://127.example:1'],
    ['not a proxy', 'not a proxy'],
  ];
  for (const [there, here] of rows)
    t.same(proxiesFrom({ HTTPS_PROXY: there }, '10.0.2.2'), { HTTPS_PROXY: here }, there);
  const settings = { HTTP_PROXY: 'http://localhost:1', NO_PROXY: 'localhost,127.0.0.1' };
  t.equal(proxiesFrom(settings, '10.0.2.2').NO_PROXY, settings.NO_PROXY);
  t.same(proxiesFrom(settings, null), settings, 'without a host in front');
});

t.test('authorities of the host are trusted besides the well-known ones', async (t) => {
  const before = getCACertificates('default');
  t.teardown(() => setDefaultCACertificates(before));
  trustAuthorities([]);
  t.same(getCACertificates('default'), before);
  const { cert } = issueAuthority({ key: await rsaPrivateKey(2048) });
  trustAuthorities([cert]);
  const { fingerprint256 } = new X509Certificate(cert);
  const trusted = getCACertificates('default').map((pem) => new X509Certificate(pem).fingerprint256);
  t.ok(trusted.includes(fingerprint256));
});
