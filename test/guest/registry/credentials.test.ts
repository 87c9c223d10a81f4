import t from 'tap';
import { credentialsOf } from '../../../guest/registry/credentials.ts';

const header = (value: unknown) => ({
  'x-registry-auth': Buffer.from(JSON.stringify(value)).toString('base64url'),
});

t.test('X-Registry-Auth says who one is, and what cannot be read is nobody', async (t) => {
  t.same(credentialsOf(header({ username: 'ü', password: 'p:?>' })), { username: 'ü', password: 'p:?>' });
  t.same(credentialsOf(header({ auth: Buffer.from('u:p:q').toString('base64') })), {
    username: 'u',
    password: 'p:q',
  });
  t.same(credentialsOf(header({ identitytoken: 't' })), { identityToken: 't' });
  t.same(credentialsOf(header({ registrytoken: 't' })), { registryToken: 't' });
  for (const nobody of [{}, header({}), header(null), header([1]), { 'x-registry-auth': '!' }])
    t.same(credentialsOf(nobody), {}, JSON.stringify(nobody));
});
