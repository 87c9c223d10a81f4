import t from 'tap';
import type { ContainerRecord } from '../../../guest/containers/container-record.ts';
import { mountRequests } from '../../../guest/containers/mount-requests.ts';
import { withVolumesFrom } from '../../../guest/containers/volumes-from.ts';
import { NotFound } from '../../../guest/errors.ts';
import { containerConfig, hostConfig } from '../../../guest/schema/container.ts';

const donorMounts = mountRequests(
  containerConfig.parse({ Volumes: { '/anon': {} } }),
  hostConfig.parse({ Binds: ['/src:/bind:ro', 'named:/named'], Tmpfs: { '/tmp': '' } }),
).map((mount) => ({ ...mount, name: mount.name || (mount.type === 'volume' ? 'f00d' : '') }));
const neighbours = {
  recordOf(reference: string) {
    if (reference !== 'donor') throw new NotFound(`No such container: ${reference}`);
    return { mounts: donorMounts } as unknown as ContainerRecord;
  },
  find: () => t.fail('not asked') as never,
  liveRecords: () => [],
  runningPid: () => t.fail('not asked') as never,
};
const mounts = (VolumesFrom: string[], own: object = {}, image: object = {}) =>
  withVolumesFrom(
    mountRequests(containerConfig.parse({ Volumes: image }), hostConfig.parse(own)),
    { VolumesFrom },
    neighbours,
  ).map(({ type, name, source, destination, readonly, copyUp }) => [
    `${type} ${name || source}`,
    `${destination}${readonly ? ':ro' : ''}${copyUp ? ' filled' : ''}`,
  ]);

t.test('volumes and binds come along, and what is read-only stays so', async (t) => {
  t.same(mounts(['donor']), [
    ['bind /src', '/bind:ro'],
    ['volume named', '/named'],
    ['volume f00d', '/anon'],
  ]);
  t.same(
    mounts(['donor:ro']).map(([, place]) => place),
    ['/bind:ro', '/named:ro', '/anon:ro'],
  );
  t.same(mounts(['donor:rw,z'])[0], ['bind /src', '/bind:ro']);
});

t.test('the mode that was asked for there is not shown here', async (t) => {
  const none = { VolumesFrom: ['donor'] };
  t.same(
    withVolumesFrom([], none, neighbours).map(({ mode }) => mode),
    ['', '', ''],
  );
});

t.test("the container's own mounts win; the image's volumes give way", async (t) => {
  const own = mounts(['donor'], { Binds: ['mine:/named', '/else:/else'] }, { '/anon': {}, '/more': {} });
  t.same(Object.fromEntries(own.map(([what, place]) => [place, what])), {
    '/bind:ro': 'bind /src',
    '/named filled': 'volume mine',
    '/anon': 'volume f00d',
    '/else': 'bind /else',
    '/more filled': 'volume ',
  });
});

t.test('who does not exist, or what cannot be read, is refused as a wrong request', async (t) => {
  t.throws(() => mounts(['nobody']), { httpStatus: 400, message: /No such container: nobody/ });
  t.throws(() => mounts(['donor:odd']), { httpStatus: 400, message: /invalid mode: odd/ });
  t.throws(() => mounts(['']), /invalid volumes-from/);
  t.throws(() => mounts(['a:ro:b']), /invalid volumes-from/);
});
