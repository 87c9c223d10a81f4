import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { machineSources, ownSources } from '../../../guest/containers/bind-sources.ts';
import type { RecordedMount } from '../../../guest/containers/container-record.ts';

const mount = (source: string, createSource: boolean): RecordedMount => ({
  type: 'bind',
  name: '',
  source,
  destination: '/x',
  readonly: false,
  writableBelow: false,
  mode: '',
  propagation: 'rprivate',
  recursive: true,
  anonymous: false,
  copyUp: false,
  createSource,
  tmpfsOptions: '',
});

t.test('on the computer that the engine runs on, dockerd’s rules hold', async (t) => {
  const directory = t.testdir({ there: {} });
  const missing = join(directory, 'a', 'b');
  await ownSources.check(mount(join(directory, 'there'), false));
  await t.rejects(ownSources.check(mount(missing, false)), {
    httpStatus: 400,
    message: /does not exist: .*\/a\/b$/,
  });
  await ownSources.check(mount(missing, true));
  t.notOk(existsSync(missing), 'creating a container makes nothing');
  await ownSources.prepare(mount(missing, true));
  t.ok(existsSync(missing));
  await t.rejects(
    ownSources.prepare(mount('/proc/nosuch/x', true)),
    /error while creating mount source path '\/proc\/nosuch\/x': mkdir/,
  );
});

t.test('in a machine, what the host does not share is no empty directory', async (t) => {
  const directory = t.testdir({ guest: {} });
  const sources = machineSources([
    { path: '/home/me', readonly: false },
    { path: '/nosuch-share', readonly: true },
  ]);
  for (const createSource of [true, false])
    for (const work of [sources.check, sources.prepare])
      await t.rejects(work(mount(join(directory, 'missing'), createSource)), {
        httpStatus: 400,
        message:
          /does not exist in this machine: .*missing; of your computer it has \/home\/me, \/nosuch-share; machine restart --add-mount .*missing \S+ adds it$/,
      });
  t.notOk(existsSync(join(directory, 'missing')));
  await sources.prepare(mount(join(directory, 'guest'), true));
  await t.rejects(machineSources([]).check(mount('/nosuch', true)), /it has no directory/);
});

t.test('a host that does not answer is said, and no directory is made in its place', async (t) => {
  const path = t.testdir({});
  const sources = machineSources([{ path, readonly: false }], { deadlineMs: 300 });
  await t.rejects(sources.prepare(mount(join(path, 'x'), true)), {
    httpStatus: 503,
    message: /is not connected/,
  });
  t.notOk(existsSync(join(path, 'x')));
});
