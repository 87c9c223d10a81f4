import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

t.test(
  'an engine killed among docker runs keeps what it acknowledged, and nothing by halves',
  { skip },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await engine.loadBusybox();
    const acknowledged: string[] = [];
    for (let round = 0; round < 5; round++) {
      const runs = Array.from({ length: 3 }, async (_, i) => {
        for (let n = 0; ; n++) {
          const name = `c-${round}-${i}-${n}`;
          const run = ['run', '-d', '--network', 'none', '--name', name, 'busybox', 'sleep', '1000'];
          const { exitCode } = await engine.docker(run);
          if (exitCode !== 0) return;
          acknowledged.push(name);
        }
      });
      await delay(300 + Math.random() * 700);
      await engine.stop('SIGKILL');
      await Promise.all(runs);
      await engine.start();
      const rows = (await engine.output(['ps', '-a', '--format', '{{.Names}} {{.State}}']))
        .trim()
        .split('\n');
      const states = new Map(rows.map((row) => row.split(' ') as [string, string]));
      t.same(
        acknowledged.filter((name) => states.get(name) !== 'running'),
        [],
        'all that were acknowledged run',
      );
      // What was created but not acknowledged can be used and removed like any other.
      const others = [...states.keys()].filter(
        (name) => name.startsWith('c-') && !acknowledged.includes(name),
      );
      if (others.length > 0) await engine.output(['start', ...others]);
      const ids = [...states.keys()].filter((name) => name !== '');
      if (ids.length > 0) await engine.output(['rm', '-f', ...ids]);
      acknowledged.length = 0;
      t.same(engine.residue(), [], 'no process, mount, group or directory without a container');
    }
  },
);
