import t from 'tap';
import { EngineHarness } from './engine-harness.ts';

const skip = EngineHarness.missing() ?? false;

/** Everything that was published, without what differs from run to run. */
async function told(engine: EngineHarness, since: string, ...filters: string[]): Promise<string[]> {
  const until = `${Math.floor(Date.now() / 1000) + 1}`;
  const args = ['events', '--since', since, '--until', until, '--format', '{{json .}}'];
  const output = await engine.output([...args, ...filters.flatMap((filter) => ['--filter', filter])]);
  const events = output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const times = events.map(({ timeNano }) => timeNano);
  if (times.some((time, i) => time < (times[i - 1] ?? 0))) throw new Error('events are not in their order');
  return events.map(({ Type, Action, Actor: { Attributes } }) => {
    const kept = Object.entries(Attributes).filter(([key]) => !['image', 'container'].includes(key));
    const shown = kept.map(([key, value]) => `${key}=${value}`.replace(/sha256:[0-9a-f]{64}/, 'ID'));
    return `${Type} ${Action} ${shown.sort().join(' ')}`.trim();
  });
}

t.test(
  'what happens to containers, volumes, networks and images is told in its order',
  { skip },
  async (t) => {
    const engine = await EngineHarness.open(t);
    await engine.loadBusybox();
    const start = `${Date.now() / 1000}`;
    await engine.output(['network', 'create', 'net']);
    const run = ['run', '--name', 'web', '--network', 'net', '-v', 'data:/d:ro', '-l', 'a=b', 'busybox'];
    await engine.docker([...run, 'sh', '-c', 'exit 3']);
    await engine.output(['commit', '-m', 'why', 'web', 'mine:1']);
    await engine.output(['container', 'prune', '-f', '--filter', 'label=a']);
    await engine.output(['network', 'prune', '-f', '--filter', 'until=2040-01-01']);
    await engine.output(['volume', 'prune', '-af']);
    t.same(await told(engine, start), [
      'network create name=net type=bridge',
      'volume create driver=local',
      'container create a=b name=web',
      'container attach a=b name=web',
      'network connect name=net type=bridge',
      'volume mount destination=/d driver=local propagation= read/write=false',
      'container start a=b name=web',
      'network disconnect name=net type=bridge',
      'volume unmount driver=local',
      'container die a=b execDuration=0 exitCode=3 name=web',
      'image tag a=b name=mine:1',
      'container commit a=b comment=why imageID=ID imageRef=mine:1 name=web',
      'container destroy a=b name=web',
      'container prune reclaimed=0',
      'network destroy name=net type=bridge',
      'network prune reclaimed=0',
      'volume destroy driver=local',
      'volume prune reclaimed=0',
    ]);
    t.same(await told(engine, start, 'type=volume', 'event=mount', 'event=unmount'), [
      'volume mount destination=/d driver=local propagation= read/write=false',
      'volume unmount driver=local',
    ]);
    t.equal((await told(engine, start, 'container=web', 'label=a=b')).length, 6);
    t.same(await told(engine, start, 'plugin=none'), []);

    const images = `${Date.now() / 1000}`;
    await engine.output(['tag', 'mine:1', 'other:2']);
    await engine.output(['save', '-o', `${engine.directory}/saved.tar`, 'mine:1']);
    await engine.output(['rmi', 'mine:1', 'other:2']);
    await engine.output(['load', '-i', `${engine.directory}/saved.tar`]);
    await engine.output(['image', 'prune', '-af', '--filter', 'label=a']);
    t.same(
      (await told(engine, images)).filter((line) => !line.startsWith('image prune')),
      [
        'image tag a=b name=other:2',
        'image save a=b name=ID',
        'image untag a=b name=ID',
        'image untag a=b name=ID',
        'image delete a=b name=ID',
        'image load a=b name=ID',
        'image untag a=b name=ID',
        'image delete a=b name=ID',
      ],
    );
  },
);
