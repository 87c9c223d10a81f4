import t from 'tap';
import { curlProxies, proxiesOf } from '../../../../guest/builder/sources/proxies.ts';

t.test("a build's arguments go before the engine's environment", (t) => {
  const env = { HTTP_PROXY: 'http://own:1', https_proxy: 'http://own:2', no_proxy: 'a' };
  t.same(proxiesOf({ buildArgs: {} }, env), {
    HTTP_PROXY: 'http://own:1',
    HTTPS_PROXY: 'http://own:2',
    NO_PROXY: 'a',
  });
  t.same(proxiesOf({ buildArgs: { http_proxy: 'http://given', HTTPS_PROXY: '', NO_PROXY: null } }, env), {
    HTTP_PROXY: 'http://given',
    HTTPS_PROXY: '',
    NO_PROXY: 'a',
  });
  t.same(proxiesOf({ buildArgs: {} }, {}), {});
  t.end();
});

t.test('programs on libcurl are told to spare this computer', (t) => {
  t.same(curlProxies({ HTTP_PROXY: 'http://p', NO_PROXY: 'b' }), {
    http_proxy: 'http://p',
    no_proxy: 'localhost,127.0.0.1,::1,b',
  });
  t.end();
});
