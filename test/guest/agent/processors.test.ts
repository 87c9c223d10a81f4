import { readFileSync } from 'node:fs';
import t from 'tap';
import { bringUpProcessors } from '../../../guest/agent/processors.ts';

t.test('only processors that are down are brought up', async (t) => {
  const directory = t.testdir({
    cpu0: {}, // cannot be taken down, so there is no file
    cpu1: { online: '1\n' },
    cpu2: { online: '0\n' },
    cpu10: { online: '0\n' },
    cpufreq: { online: '0\n' },
  });
  await bringUpProcessors(directory);
  const online = (name: string) => readFileSync(`${directory}/${name}/online`, 'utf8');
  t.equal(online('cpu1'), '1\n', 'left as it was');
  t.equal(online('cpu2'), '1');
  t.equal(online('cpu10'), '1');
  t.equal(online('cpufreq'), '0\n');
});
