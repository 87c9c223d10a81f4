import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const missing = EngineHarness.missing() ?? false;

t.test('limits and restart policy change while a container runs', { skip: missing }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  await engine.output([
    ...['run', '-d', '--name', 'box', '--network', 'none', '-m', '64m', '--pids-limit', '50'],
    ...['busybox', 'sleep', '1000'],
  ]);
  await engine.output(['update', '-m', '32m', '--memory-swap', '32m', '--restart', 'on-failure:3', 'box']);
  const inspected = [
    'inspect',
    '-f',
    '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.RestartPolicy}}',
  ];
  t.equal(await engine.output([...inspected, 'box']), '33554432 50 {on-failure 3}\n');
  const usage = () => engine.output(['stats', '--no-stream', '--format', '{{.MemUsage}}', 'box']);
  t.match(await usage(), /\/ 32MiB$/m, 'the kernel knows');
  const refused = async (args: readonly string[], stderr: RegExp) =>
    t.match(await engine.docker(['update', ...args, 'box']), { exitCode: 1, stderr });
  await refused(['-m', '1m'], /Minimum memory limit allowed is 6MB/);
  await refused(['-m', '64m'], /should be smaller than already set memoryswap limit/);
  await refused(['--restart', 'never'], /unknown policy 'never'/);
  await engine.output(['update', '--pids-limit', '-1', 'box']);
  t.match(await usage(), /\/ 32MiB$/m);
  t.equal(await engine.output([...inspected, 'box']), '33554432 0 {on-failure 3}\n');
  await refused(['--cpu-rt-runtime', '5'], /kernel does not support CPU real-time scheduler/);
  await engine.output(['rm', '-f', 'box']);
});
