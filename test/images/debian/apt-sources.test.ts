import t from 'tap';
import { parseDeb822Sources, parseOneLineSources } from '../../../images/debian/apt-sources.ts';

t.test('one-line sources are read, with options and comments', async (t) => {
  const text = `# deb http://old.example/debian buster main
deb http://a.example/debian bookworm main contrib
deb-src http://a.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg] https://b.example/debian-security bookworm-security main # why
`;
  t.strictSame(parseOneLineSources(text), [
    { uri: 'http://a.example/debian', suite: 'bookworm' },
    { uri: 'https://b.example/debian-security', suite: 'bookworm-security' },
  ]);
});

t.test('deb822 sources are read, every URI with every suite', async (t) => {
  const text = `Types: deb deb-src
# a comment inside a stanza
URIs: http://a.example/debian
Suites: bookworm
  bookworm-updates
Components: main

Types: deb
URIs: http://off.example/debian
Suites: trixie
Enabled: no

types: deb
uris: http://c.example/x http://d.example/x
suites: sid
`;
  t.strictSame(parseDeb822Sources(text), [
    { uri: 'http://a.example/debian', suite: 'bookworm' },
    { uri: 'http://a.example/debian', suite: 'bookworm-updates' },
    { uri: 'http://c.example/x', suite: 'sid' },
    { uri: 'http://d.example/x', suite: 'sid' },
  ]);
});
