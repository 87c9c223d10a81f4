import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const missing = EngineHarness.missing() ?? false;

t.test('the stock CLI finds an engine and is told the truth about it', { skip: missing }, async (t) => {
  const engine = await EngineHarness.open(t, ['--label', 'a=b']);
  t.match(
    await engine.output(['version']),
    /Server: machine(.|\n)*API version: +1\.50 \(minimum version 1\.24\)/,
  );
  const info = JSON.parse(await engine.output(['info', '--format', '{{json .}}']));
  t.match(info, {
    Containers: 0,
    Images: 0,
    DefaultRuntime: 'crun',
    Labels: ['a=b'],
    LiveRestoreEnabled: true,
    DockerRootDir: engine.dataRoot,
    Swarm: { LocalNodeState: 'inactive' },
  });
  t.match((await engine.docker(['info'])).stderr, /^$/, 'no complaint of the CLI about a field');
  t.match(await engine.docker(['node', 'ls']), { exitCode: 1, stderr: 'This node is not a swarm manager.' });
  t.match(await engine.docker(['plugin', 'ls']), { exitCode: 0 });
});

t.test(
  "a data root has one engine at a time, and a dead one's lock is taken over",
  { skip: missing },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await t.rejects(engine.start(), /already runs on this data root/);
    const { ID } = JSON.parse(await engine.output(['info', '--format', '{{json .}}']));
    await engine.stop('SIGKILL');
    await engine.start();
    t.match(
      JSON.parse(await engine.output(['info', '--format', '{{json .}}'])),
      { ID },
      'it is the same engine',
    );
  },
);

t.test('docker system df adds up what is there', { skip: missing }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output(['create', '--name', 'one', '-v', 'stuff:/stuff', 'busybox', 'true']);
  const rows = (
    await engine.output(['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}}'])
  ).trim();
  t.same(rows.split('\n'), ['Images 1 1', 'Containers 1 0', 'Local Volumes 1 1', 'Build Cache 0 0']);
});
