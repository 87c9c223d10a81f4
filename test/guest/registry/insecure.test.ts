import t from 'tap';
import { endpointsOf } from '../../../guest/registry/endpoints.ts';
import { isInsecure } from '../../../guest/registry/insecure.ts';

t.test('this computer and what was wished for may do without TLS', async (t) => {
  const addresses: Record<string, string[]> = {
    'inside.test': ['10.0.0.5'],
    'outside.test': ['192.0.2.1'],
    'here.test': ['192.0.2.1', '127.0.0.3'],
    'six.test': ['::1'],
    'docker.io': ['127.0.0.1'],
  };
  const addressesOf = async (host: string) => addresses[host] ?? Promise.reject(new Error('no such host'));
  const table: [string, string[], boolean][] = [
    ['localhost:5000', [], true],
    ['localhost', [], true],
    ['127.0.0.1:5000', [], true],
    ['127.9.9.9', [], true],
    ['[::1]:5000', [], true],
    ['192.0.2.1:5000', [], false],
    ['192.0.2.1:5000', ['192.0.2.0/24'], true],
    ['reg.test:5000', ['reg.test:5000'], true],
    ['reg.test', ['reg.test:5000'], false],
    ['inside.test:5000', ['10.0.0.0/8'], true],
    ['outside.test:5000', ['10.0.0.0/8'], false],
    ['outside.test:5000', [], false],
    ['here.test:5000', [], true],
    ['six.test', [], true],
    ['unknown.test', [], false],
    ['unknown.test', ['10.0.0.0/8'], false],
    ['docker.io', [], false],
    ['192.0.2.1', ['nonsense/99', '1.2/8', '10.0.0.0/99'], false],
  ];
  for (const [domain, wished, expected] of table)
    t.equal(await isInsecure(domain, wished, addressesOf), expected, `${domain} ${wished}`);
});

t.test('mirrors are for the official registry and are asked first', async (t) => {
  const mirrors = ['https://mirror.test/'];
  const bases = (domain: string, insecure: boolean) =>
    endpointsOf(domain, { insecure, mirrors }).map(({ base, verify }) => `${base} ${verify}`);
  t.same(bases('docker.io', false), ['https://mirror.test true', 'https://registry-1.docker.io true']);
  t.same(bases('reg.test:5000', false), ['https://reg.test:5000 true']);
  t.same(bases('reg.test:5000', true), ['https://reg.test:5000 false', 'http://reg.test:5000 false']);
});
