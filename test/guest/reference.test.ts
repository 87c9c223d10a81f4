import t from 'tap';
import {
  domainOfServer,
  familiarReference,
  formatReference,
  parseReference,
  withDefaultTag,
} from '../../guest/reference.ts';

const hex = 'a'.repeat(64);

t.test('shorthand names get the default registry, folder and tag', async (t) => {
  const table: [string, string][] = [
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['user/app', 'docker.io/user/app:latest'],
    ['index.docker.io/busybox', 'docker.io/library/busybox:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/a/b:v1', 'localhost:5000/a/b:v1'],
    ['[::1]:5000/a', '[::1]:5000/a:latest'],
    ['example.com/a__b/c--d', 'example.com/a__b/c--d:latest'],
    ['Upper/app', 'Upper/app:latest'],
    [`busybox@sha256:${hex}`, `docker.io/library/busybox@sha256:${hex}`],
    [`busybox:1@sha256:${hex}`, `docker.io/library/busybox:1@sha256:${hex}`],
  ];
  for (const [text, canonical] of table) {
    t.equal(formatReference(withDefaultTag(parseReference(text))), canonical, text);
  }
});

t.test('familiar names are the shortest that mean the same', async (t) => {
  for (const text of ['busybox:latest', 'user/app:1', 'localhost:5000/a:1', 'library/a/b:1']) {
    t.equal(familiarReference(parseReference(text)), text);
  }
  t.equal(familiarReference(parseReference('docker.io/library/busybox:1')), 'busybox:1');
});

t.test('malformed names are refused in the words that clients know', async (t) => {
  const table: [string, string][] = [
    ['', 'invalid reference format'],
    ['busybox:', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['a:b:c', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['a@sha256:12', 'invalid reference format'],
    [`a:${'t'.repeat(129)}`, 'invalid reference format'],
    ['Busybox', 'invalid reference format: repository name (library/Busybox) must be lowercase'],
    ['a'.repeat(250), 'repository name must not be more than 255 characters'],
    [hex, `invalid repository name (${hex}), cannot specify 64-byte hexadecimal strings`],
  ];
  for (const [text, message] of table) t.throws(() => parseReference(text), { message }, text);
});

t.test('a server is known by every name that clients have for it', async (t) => {
  for (const name of ['', 'docker.io', 'https://index.docker.io/v1/', 'registry-1.docker.io'])
    t.equal(domainOfServer(name), 'docker.io', name);
  t.equal(domainOfServer('https://localhost:5000/v2/'), 'localhost:5000');
});
