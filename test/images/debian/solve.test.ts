import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import { addPackagesFile, PackagesIndex } from '../../../images/debian/packages-index.ts';
import { solve } from '../../../images/debian/solve.ts';
import { lacks, outputOf } from '../support/programs.ts';

const packages = `Package: app
Version: 1.0
Depends: libone (>= 2), mta | postfix, helper:any | other
Pre-Depends: base

Package: base
Version: 3
Depends: debconf (>= 0.5) | debconf-2.0

Package: debconf
Version: 1

Package: libone
Version: 1

Package: libone
Version: 2.1
Provides: libone-abi (= 2)

Package: exim
Version: 4
Provides: mta

Package: postfix
Version: 3

Package: helper
Version: 1
Multi-Arch: allowed
Depends: app, libone-abi (>= 2)
`;

const index = await indexOf(packages);

/** Fields that the solver does not look at are filled in. */
async function indexOf(text: string): Promise<PackagesIndex> {
  const index = new PackagesIndex();
  await addPackagesFile(index, chunks(full(text)), 'http://archive.example/debian');
  return index;
}

function full(text: string): string {
  return text.replace(
    /^Version: .*$/gm,
    (line) =>
      `${line}\nArchitecture: amd64\nMaintainer: T <t@example>\nDescription: x\nFilename: ./x.deb\nSize: 1\nSHA256: ${'0'.repeat(64)}`,
  );
}

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += 7) yield Buffer.from(text.slice(at, at + 7));
}

function names(wanted: string[], excluded: string[] = []): string[] {
  return solve({ index, wanted, excluded: new Set(excluded) }).map(({ name }) => name);
}

t.test('dependencies are followed through alternatives, virtual packages and cycles', async (t) => {
  t.strictSame(names(['app']), ['app', 'base', 'debconf', 'exim', 'helper', 'libone']);
});

t.test('the newest version of a package is taken', async (t) => {
  t.equal(solve({ index, wanted: ['libone'], excluded: new Set() })[0]?.version, '2.1');
});

t.test('an alternative that is chosen already needs no other', async (t) => {
  t.strictSame(names(['postfix', 'app']), ['app', 'base', 'debconf', 'helper', 'libone', 'postfix']);
});

t.test('an excluded package is left out with what only it needs', async (t) => {
  t.strictSame(names(['app'], ['base', 'mta']), ['app', 'helper', 'libone']);
});

t.test('what cannot be met is an error that says who needs what', async (t) => {
  t.throws(() => names(['nothing']), {
    message: 'the image needs the package "nothing", which the archive does not have',
  });
  const broken = await indexOf('Package: a\nVersion: 1\nDepends: b (>= 2) | c\n\nPackage: b\nVersion: 1\n');
  t.throws(() => solve({ index: broken, wanted: ['a'], excluded: new Set() }), FailedPrecondition);
  t.throws(() => solve({ index: broken, wanted: ['a'], excluded: new Set() }), {
    message: /a needs the package "b \(>= 2\) \| c"/,
  });
});

t.test('an index whose file names lead out of the archive is refused', async (t) => {
  const text = full('Package: a\nVersion: 1\n').replace('./x.deb', '../../x.deb');
  await t.rejects(addPackagesFile(new PackagesIndex(), chunks(text), 'http://archive.example'), {
    name: 'Untrusted',
  });
});

t.test('apt chooses the same packages', { skip: lacks('apt-get') }, async (t) => {
  const root = t.testdir({ archive: { Packages: full(packages) } });
  for (const path of ['lists/partial', 'cache/archives/partial', 'etc'])
    mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'status'), '');
  writeFileSync(join(root, 'etc/sources.list'), `deb [trusted=yes] file:${root}/archive ./\n`);
  const options = [
    `Dir::State::lists=${root}/lists`,
    `Dir::State::status=${root}/status`,
    `Dir::Cache=${root}/cache`,
    `Dir::Etc::sourcelist=${root}/etc/sources.list`,
    'Dir::Etc::sourceparts=-',
    'APT::Install-Recommends=false',
    'APT::Sandbox::User=root',
    'APT::Architecture=amd64',
  ].flatMap((option) => ['-o', option]);
  outputOf('apt-get', [...options, 'update']);
  const chosen = outputOf('apt-get', [...options, '-s', 'install', 'app']);
  const installed = [...chosen.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name!);
  t.strictSame(names(['app']), [...new Set(installed)].sort());
});
