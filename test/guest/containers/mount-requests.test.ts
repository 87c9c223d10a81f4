import t from 'tap';
import { mountRequests } from '../../../guest/containers/mount-requests.ts';
import { createBody } from '../../../guest/schema/container.ts';

function requests(host: object, volumes: object = {}) {
  const { HostConfig, ...config } = createBody.parse({ Image: 'a', Volumes: volumes, HostConfig: host });
  return mountRequests(config, HostConfig);
}

t.test('-v binds paths, and takes names for volumes', async (t) => {
  t.match(requests({ Binds: ['/a/../b:/c/:ro,rslave', 'data:/d:nocopy', '/e'] }), [
    {
      type: 'bind',
      source: '/b',
      destination: '/c',
      readonly: true,
      propagation: 'rslave',
      createSource: true,
    },
    { type: 'volume', name: 'data', destination: '/d', copyUp: false, anonymous: false },
    { type: 'volume', name: '', destination: '/e', copyUp: true, anonymous: true },
  ]);
});

t.test('a driver of others is refused where there is a volume to make', async (t) => {
  t.same(requests({ VolumeDriver: 'nfs' }), []);
  for (const volumes of [{ '/data': {} }, {}])
    t.throws(() => requests({ VolumeDriver: 'nfs', Binds: '/data' in volumes ? [] : ['data:/d'] }, volumes), {
      message: /error looking up volume plugin nfs: plugin "nfs" not found/,
    });
});

t.test('--mount and --tmpfs', async (t) => {
  const Mounts = [
    { Type: 'bind', Source: '/a', Target: '/b', BindOptions: { NonRecursive: true } },
    { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 4096, Mode: 0o700 } },
  ];
  t.match(requests({ Mounts, Tmpfs: { '/run': 'size=1m' } }), [
    { type: 'bind', recursive: false, createSource: false },
    { type: 'tmpfs', tmpfsOptions: 'size=4096,mode=700' },
    { type: 'tmpfs', destination: '/run', tmpfsOptions: 'size=1m' },
  ]);
});

t.test('a volume that is asked for without a mode has one in answers, as with dockerd', async (t) => {
  const Mounts = [{ Type: 'volume', Source: 'data', Target: '/m' }];
  t.match(requests({ Binds: ['data:/a', 'data:/b:ro', '/c:/c'], Mounts }, { '/image': {} }), [
    { destination: '/a', mode: 'z' },
    { destination: '/b', mode: 'ro' },
    { destination: '/c', mode: '' },
    { destination: '/m', mode: 'z' },
    { destination: '/image', mode: '' },
  ]);
});

t.test("an image's volume gives way to what was asked for at its place", async (t) => {
  t.match(requests({ Binds: ['mine:/data'] }, { '/data/': {}, '/other': {} }), [
    { name: 'mine', destination: '/data' },
    { name: '', destination: '/other', anonymous: true },
  ]);
});

t.test('what makes no sense is refused', async (t) => {
  const table: readonly (readonly [host: object, text: RegExp])[] = [
    [{ Binds: ['/a:/b', '/c:/b/'] }, /Duplicate mount point: \/b/],
    [{ Binds: ['/a:/'] }, /can't be '\/'/],
    [{ Binds: ['/a:/x/..'] }, /can't be '\/'/],
    [{ Binds: ['/a:b'] }, /'b' mount path must be absolute/],
    [{ Binds: ['a b:/c'] }, /invalid characters for a local volume name/],
    [{ Binds: ['../a:/c'] }, /invalid characters for a local volume name/],
    [{ Binds: ['/a:/b:shared,slave'] }, /invalid mode: shared,slave/],
    [{ Binds: ['/a:/b:ro,rw'] }, /invalid mode: ro,rw/],
    [{ Binds: ['/a::ro'] }, /invalid volume specification/],
    [{ Binds: ['/a:/b:nocopy'] }, /type "bind": field VolumeOptions must not be specified/],
    [{ Binds: ['vol:/b:rslave'] }, /type "volume": field BindOptions must not be specified/],
    [{ Binds: ['vol:/proc//sys'] }, /"\/proc\/sys" cannot be mounted because it is inside \/proc/],
    [{ Mounts: [{ Type: 'bind', Target: '/a' }] }, /field Source must not be empty/],
    [{ Mounts: [{ Type: 'volume', Source: 'v' }] }, /field Target must not be empty/],
    [{ Mounts: [{ Type: 'npipe', Target: '/a' }] }, /mount type unknown/],
    [{ Mounts: [{ Type: 'bind', Source: 'a', Target: '/a' }] }, /must be absolute/],
    [{ Mounts: [{ Type: 'tmpfs', Source: '/a', Target: '/a' }] }, /field Source must not be specified/],
    [{ Mounts: [{ Type: 'volume', Target: '/a', VolumeOptions: { Subpath: 'x' } }] }, /anonymous volumes/],
    [{ Mounts: [{ Type: 'volume', Target: '/a', ReadOnly: true }] }, /ReadOnly mode when using anonymous/],
    [
      { Mounts: [{ Type: 'volume', Source: 'data', Target: '/a', VolumeOptions: { Subpath: 'x/../..' } }] },
      /subpath must be a relative path within the volume/,
    ],
    [
      {
        Mounts: [
          { Type: 'volume', Target: '/a', VolumeOptions: { DriverConfig: { Name: 'rexray', Options: {} } } },
        ],
      },
      /plugin "rexray" not found/,
    ],
  ];
  for (const [host, text] of table) t.throws(() => requests(host), text, JSON.stringify(host));
});
