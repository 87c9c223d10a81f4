import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { FailedPrecondition } from '../../../drivers/errors.ts';
import { contextOwner, removeContext, writeContext } from '../../../provisioning/docker-context/context.ts';
import { currentContext, setCurrentContext } from '../../../provisioning/docker-context/current.ts';
import { contextName, dockerConfig } from '../../../provisioning/docker-context/files.ts';
import { MachineStore } from '../../../provisioning/machine-store.ts';
import { storePaths } from '../../../provisioning/paths.ts';
import { apiSocketOf } from '../../../provisioning/supervisor/socket/path.ts';

function setUp(t: Test, settings?: string) {
  const directory = t.testdir(settings === undefined ? {} : { docker: { 'config.json': settings } });
  const store = new MachineStore(storePaths(join(directory, 'store')));
  const config = dockerConfig({ DOCKER_CONFIG: join(directory, 'docker') });
  return { directory, store, config, file: config.context(contextName('dev')) };
}

t.test('a context is where the docker CLI looks for it, in its form', async (t) => {
  const { store, config, file } = setUp(t);
  t.equal(await writeContext(store, 'dev', config), 'ours');
  t.equal(await writeContext(store, 'dev', config), 'ours', 'again');
  // printf machine-dev | sha256sum
  t.ok(
    file.endsWith(
      '/contexts/meta/2d1784a2a8a6eb135b860a861873116cf160661f5b651a5fa544804d76cabb8b/meta.json',
    ),
  );
  t.same(JSON.parse(readFileSync(file, 'utf8')), {
    Name: 'machine-dev',
    Metadata: { Description: 'machine "dev"', Machine: { Name: 'dev', Store: store.paths.root } },
    Endpoints: {
      docker: { Host: apiSocketOf(store.machine('dev')).url, SkipTLSVerify: false },
    },
  });
});

t.test('removing it resets the choice of it, and only of it', async (t) => {
  const { store, config, file } = setUp(
    t,
    '{"auths":{"r":{"auth":"x"}},"currentContext":"machine-dev","z":[1]}',
  );
  await writeContext(store, 'dev', config);
  await writeContext(store, 'two', config);
  await removeContext(store, 'dev', config);
  await removeContext(store, 'dev', config);
  t.notOk(existsSync(dirname(file)));
  t.same(JSON.parse(readFileSync(config.settings, 'utf8')), { auths: { r: { auth: 'x' } }, z: [1] });
  await setCurrentContext('other', config);
  await removeContext(store, 'two', config);
  t.equal(await currentContext(config), 'other');
});

t.test('a context that is not ours is neither written nor removed', async (t) => {
  const { directory, store, config, file } = setUp(t);
  const other = new MachineStore(storePaths(join(directory, 'other')));
  mkdirSync(dirname(file), { recursive: true });
  for (const text of ['{"Name":"machine-dev","Metadata":{},"Endpoints":{}}', 'not JSON', 'null']) {
    writeFileSync(file, text);
    t.equal(await contextOwner(store, 'dev', config), 'foreign');
    t.equal(await writeContext(store, 'dev', config), 'foreign');
    await removeContext(store, 'dev', config);
    t.equal(readFileSync(file, 'utf8'), text);
  }
  await removeContext(store, 'none', config);
  await writeContext(other, 'two', config);
  t.equal(await contextOwner(store, 'two', config), 'foreign', 'of another store');
  t.equal(await contextOwner(other, 'two', config), 'ours');
});

t.test('the choice keeps everything else in the settings, their rights and a link to them', async (t) => {
  const { directory, config } = setUp(t);
  t.equal(await currentContext(config), null);
  await setCurrentContext(null, config);
  t.notOk(existsSync(config.settings), 'nothing to unset makes no file');
  await setCurrentContext('machine-dev', config);
  t.equal(statSync(config.settings).mode & 0o777, 0o600);

  const dotfiles = join(directory, 'dotfiles.json');
  writeFileSync(dotfiles, '{"credsStore":"osxkeychain","plugins":{"a":{"b":"c"}}}', { mode: 0o640 });
  const linked = dockerConfig({ DOCKER_CONFIG: join(directory, 'linked') });
  mkdirSync(linked.directory);
  symlinkSync(dotfiles, linked.settings);
  await setCurrentContext('machine-dev', linked);
  t.same(JSON.parse(readFileSync(dotfiles, 'utf8')), {
    credsStore: 'osxkeychain',
    plugins: { a: { b: 'c' } },
    currentContext: 'machine-dev',
  });
  t.equal(statSync(dotfiles).mode & 0o777, 0o640);
  await setCurrentContext(null, linked);
  t.same(Object.keys(JSON.parse(readFileSync(dotfiles, 'utf8'))), ['credsStore', 'plugins']);
});

t.test('settings that are damaged are left as they are', async (t) => {
  const { config } = setUp(t, '{"auths":');
  await t.rejects(setCurrentContext('machine-dev', config), FailedPrecondition);
  t.equal(readFileSync(config.settings, 'utf8'), '{"auths":');
});
