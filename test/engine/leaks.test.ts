import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test('100 containers created and removed, and 30 run with --rm, leave nothing', { skip }, async (t) => {
  const engine = await EngineHarness.open(t);
  await engine.loadBusybox();
  const batch = async (count: number, args: readonly string[]) => {
    for (let i = 0; i < count; i += 10)
      await Promise.all(Array.from({ length: 10 }, () => engine.output(args)));
  };
  await batch(100, ['create', '-v', '/data', 'busybox', 'true']);
  const ids = (await engine.output(['ps', '-aq'])).trim().split('\n');
  t.equal(ids.length, 100);
  await engine.output(['rm', '-v', ...ids]);
  await batch(30, ['run', '--rm', 'busybox', 'true']);
  t.equal(await engine.output(['ps', '-aq']), '');
  t.equal(await engine.output(['volume', 'ls', '-q']), '');
  t.same(engine.residue(), []);
});
