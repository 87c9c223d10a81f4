import t from 'tap';
import { proxyFor } from '../../../guest/registry/proxy.ts';

const proxy = 'http://proxy.test:3128';

t.test('a proxy is used as Go’s programs would', async (t) => {
  const table: [string, Record<string, string>, string | null][] = [
    ['https://a.test/', {}, null],
    ['https://a.test/', { HTTPS_PROXY: proxy }, proxy],
    ['https://a.test/', { https_proxy: proxy }, proxy],
    ['https://a.test/', { HTTP_PROXY: proxy }, null],
    ['http://a.test/', { HTTP_PROXY: proxy }, proxy],
    ['http://a.test/', { HTTP_PROXY: 'proxy.test:3128' }, proxy],
    ['http://localhost:5000/', { HTTP_PROXY: proxy }, null],
    ['http://127.1.2.3:5000/', { HTTP_PROXY: proxy }, null],
    ['http://[::1]:5000/', { HTTP_PROXY: proxy }, null],
  ];
  for (const [url, env, expected] of table)
    t.equal(proxyFor(new URL(url), env), expected, `${url} ${JSON.stringify(env)}`);
});

t.test('NO_PROXY knows domains, addresses, ranges and ports', async (t) => {
  const table: [string, string, boolean][] = [
    ['https://a.test/', 'a.test', true],
    ['https://b.a.test/', 'a.test', true],
    ['https://ba.test/', 'a.test', false],
    ['https://a.test/', '.a.test', false],
    ['https://b.a.test/', '.a.test', true],
    ['https://b.a.test/', '*.a.test', true],
    ['https://A.Test/', 'x, a.test', true],
    ['https://a.test/', '*', true],
    ['https://a.test:5000/', 'a.test:5000', true],
    ['https://a.test/', 'a.test:443', true],
    ['https://a.test/', 'a.test:5000', false],
    ['https://10.1.2.3/', '10.0.0.0/8', true],
    ['https://11.1.2.3/', '10.0.0.0/8', false],
    ['https://10.1.2.3/', '10.1.2.3', true],
    ['https://[fd00::1]/', 'fd00::/8', true],
    ['https://[fd00::1]:5000/', '[fd00::1]:5000', true],
    ['https://a.test/', '10.0.0.0/8', false],
    ['https://10.1.2.3/', '10.0.0.0/99', false],
  ];
  for (const [url, NO_PROXY, isException] of table)
    t.equal(
      proxyFor(new URL(url), { HTTPS_PROXY: proxy, NO_PROXY }) === null,
      isException,
      `${url} ${NO_PROXY}`,
    );
});
