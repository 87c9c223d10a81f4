import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test(
  'a monitor that somebody kills is noticed, before and after an engine restart',
  { skip },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await engine.loadBusybox();
    for (const name of ['own', 'adopted']) {
      const run = ['run', '-d', '--network', 'none', '--name', name, 'busybox', 'sleep', '1000'];
      const id = (await engine.output(run)).trim();
      if (name === 'adopted') {
        await engine.stop('SIGKILL');
        await engine.start();
      }
      const exit = engine.output(['wait', name]);
      const monitor = Number.parseInt(
        readFileSync(join(engine.runRoot, 'containers', id, 'monitor'), 'utf8'),
        10,
      );
      process.kill(monitor, 'SIGKILL');
      t.equal(await exit, '137\n', 'the container is ended with it');
    }
  },
);
