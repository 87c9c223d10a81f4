import t from 'tap';
import { FailedPrecondition, InvalidArgument } from '../../../drivers/errors.ts';
import { findMirrors, readAptSources } from '../../../images/debian/mirrors.ts';

const aptSources = [
  { uri: 'https://other.example/apt', suite: 'cloud-sdk-bookworm' },
  { uri: 'cdrom:[Debian]/', suite: 'bookworm' },
  { uri: 'http://apt.example/debian/', suite: 'bookworm' },
  { uri: 'http://apt.example/debian-security', suite: 'bookworm-security' },
];

t.test("the archive of this computer's apt is taken, whatever its release", async (t) => {
  t.strictSame(findMirrors({ aptSources }), {
    debian: 'http://apt.example/debian',
    security: 'http://apt.example/debian-security',
  });
});

t.test('a setting wins over apt, and the environment over a setting', async (t) => {
  const settings = { debian: 'http://set.example/debian' };
  t.strictSame(findMirrors({ settings, aptSources }), {
    debian: 'http://set.example/debian',
    security: 'http://set.example/debian-security',
  });
  const env = { MACHINE_DEBIAN_MIRROR: 'http://env.example/d', MACHINE_DEBIAN_SECURITY_MIRROR: 'none' };
  t.strictSame(findMirrors({ settings, env, aptSources }), {
    debian: 'http://env.example/d',
    security: null,
  });
});

t.test('without any archive the error says what to set', async (t) => {
  t.throws(() => findMirrors({}), FailedPrecondition);
  t.throws(() => findMirrors({ aptSources: aptSources.slice(0, 2) }), { message: /MACHINE_DEBIAN_MIRROR/ });
  t.throws(() => findMirrors({ settings: { debian: 'ftp://x' } }), InvalidArgument);
});

t.test('sources are read in both forms from the directory of apt', async (t) => {
  const directory = t.testdir({
    'sources.list': 'deb http://a.example/debian trixie main\n',
    'sources.list.d': {
      'b.sources': 'Types: deb\nURIs: http://b.example/debian\nSuites: sid\n',
      'c.list.disabled': 'deb http://c.example/debian trixie main\n',
    },
  });
  t.strictSame(await readAptSources(directory), [
    { uri: 'http://a.example/debian', suite: 'trixie' },
    { uri: 'http://b.example/debian', suite: 'sid' },
  ]);
  t.strictSame(await readAptSources(`${directory}/missing`), []);
});
