import t from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { type Call, call } from './http.ts';
import { misfits, orNull, type Shape } from './shape.ts';
import { containerInspectShape, containerSummaryShape, execShape, statsShape } from './shapes/container.ts';
import { historyShape, imageInspectShape, imageSummaryShape } from './shapes/image.ts';
import { networkShape } from './shapes/network.ts';
import { diskUsageShape, eventShape, infoShape, versionShape } from './shapes/system.ts';
import { volumeShape } from './shapes/volume.ts';
import { againstDockerd, cannotPlay, openSubject } from './subject.ts';

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);
/** The definition is of 1.50; Debian's dockerd speaks 1.45 at most. */
const version = againstDockerd ? 'v1.45' : 'v1.50';

t.test('answers are what the API definition says', { skip }, async (t) => {
  const { socket } = await openSubject(t);
  /** Asks, and checks the status, the kind of content and the shape of the answer. */
  const ask = async (line: string, status: number, shape: Shape | null, options: Call = {}) => {
    const [method, path] = line.split(' ');
    const answer = await call(socket, `${method} /${version}${path}`, options);
    t.equal(answer.status, status, `${line} answers ${status} (${answer.text.slice(0, 200)})`);
    if (shape === null) t.equal(answer.text, '', `${line} has no body`);
    else {
      t.match(answer.headers['content-type'], /^application\/json/, `${line} is JSON`);
      t.same(misfits(shape, answer.json), [], `${line} has its shape`);
    }
    return answer.json as Record<string, unknown>;
  };
  const create = (name: string, body: object) =>
    ask(`POST /containers/create?name=${name}`, 201, { Id: 'id', Warnings: ['string'] }, { body });

  await ask('GET /version', 200, versionShape);
  await ask('GET /info', 200, infoShape);
  await ask(
    'POST /networks/create',
    201,
    { Id: 'id', Warning: 'string' },
    {
      body: {
        Name: 'net',
        Labels: { a: 'b' },
        Options: { 'com.docker.network.driver.mtu': '1400' },
        IPAM: { Config: [{ Subnet: '10.66.8.0/24', Gateway: '10.66.8.1', IPRange: '10.66.8.128/25' }] },
      },
    },
  );
  await ask('POST /volumes/create', 201, volumeShape, { body: { Name: 'vol', Labels: { a: 'b' } } });
  await create('plain', { Image: 'busybox', Cmd: ['true'] });
  await create('full', {
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    Labels: { a: 'b' },
    Env: ['A=1'],
    ExposedPorts: { '80/tcp': {} },
    StopSignal: 'SIGTERM',
    StopTimeout: 1,
    HostConfig: {
      Binds: ['vol:/vol', '/tmp:/host:ro'],
      Mounts: [{ Type: 'tmpfs', Target: '/tmpfs' }],
      NetworkMode: 'net',
      PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18070' }] },
      RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
      CapAdd: ['NET_ADMIN'],
      CapDrop: ['MKNOD'],
      Dns: ['9.9.9.9'],
      DnsSearch: ['example.test'],
      DnsOptions: ['ndots:2'],
      ExtraHosts: ['up:1.2.3.4'],
      GroupAdd: ['9'],
      Tmpfs: { '/run': 'size=1m' },
      Sysctls: { 'net.ipv4.ip_forward': '1' },
      Ulimits: [{ Name: 'nofile', Soft: 100, Hard: 200 }],
      Memory: 64 << 20,
      NanoCpus: 5e8,
      PidsLimit: 50,
      Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/other', CgroupPermissions: 'rwm' }],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
    },
    NetworkingConfig: {
      EndpointsConfig: { net: { Aliases: ['other'], IPAMConfig: { IPv4Address: '10.66.8.130' } } },
    },
  });
  await ask('POST /containers/full/start', 204, null);
  await ask('POST /containers/full/start', 304, null);
  for (const name of ['plain', 'full']) {
    await ask(`GET /containers/${name}/json`, 200, containerInspectShape);
    await ask(`GET /containers/${name}/json?size=1`, 200, {
      ...containerInspectShape,
      SizeRw: 'integer',
      SizeRootFs: 'integer',
    });
    await ask(`GET /containers/${name}/changes`, 200, orNull([{ Path: 'string', Kind: 'integer' }]));
    await ask(`GET /containers/${name}/stats?stream=false`, 200, statsShape);
  }
  await ask('GET /containers/full/stats?stream=0&one-shot=1', 200, statsShape);
  await ask('GET /containers/json?all=1', 200, [containerSummaryShape]);
  await ask('GET /containers/json?all=1&size=1', 200, [{ ...containerSummaryShape, SizeRootFs: 'integer' }]);
  await ask('GET /containers/full/top', 200, { Titles: ['string'], Processes: [['string']] });
  await ask(
    'POST /containers/full/update',
    200,
    { Warnings: orNull(['string']) },
    { body: { Memory: 128 << 20, MemorySwap: 256 << 20 } },
  );
  await ask('POST /containers/full/pause', 204, null);
  await ask('POST /containers/full/unpause', 204, null);
  await ask('POST /containers/plain/rename?name=renamed', 204, null);

  const { Id: exec } = await ask(
    'POST /containers/full/exec',
    201,
    { Id: 'id' },
    {
      body: { Cmd: ['true'], AttachStdout: true, User: '99' },
    },
  );
  await ask(`GET /exec/${exec}/json`, 200, execShape);
  await ask(`POST /exec/${exec}/start`, 200, null, { body: { Detach: true } });

  await ask('GET /networks', 200, [networkShape]);
  await ask('GET /networks/net', 200, networkShape);
  await ask('GET /networks/net?verbose=1', 200, networkShape);
  await ask('POST /networks/net/connect', 200, null, { body: { Container: 'renamed' } });
  await ask('POST /networks/net/disconnect', 200, null, { body: { Container: 'renamed' } });
  await ask('GET /volumes', 200, { Volumes: orNull([volumeShape]), Warnings: orNull(['string']) });
  await ask('GET /volumes/vol', 200, volumeShape);

  await ask('GET /images/json', 200, [imageSummaryShape]);
  await ask('GET /images/json?all=1&digests=1&shared-size=1', 200, [imageSummaryShape]);
  await ask('GET /images/busybox/json', 200, imageInspectShape);
  await ask('GET /images/busybox/history', 200, historyShape);
  await ask('POST /images/busybox/tag?repo=made/tag&tag=1', 201, null);
  await ask('DELETE /images/made/tag:1', 200, [{ 'Untagged?': 'string', 'Deleted?': 'string' }]);
  await ask('POST /commit?container=renamed&repo=made/commit', 201, { Id: 'digest' });
  await ask('DELETE /images/made/commit', 200, [{ 'Untagged?': 'string', 'Deleted?': 'string' }]);
  await ask('GET /system/df', 200, diskUsageShape);
  await ask('GET /system/df?type=container&type=volume', 200, {
    Containers: [containerSummaryShape],
    Volumes: [{ ...volumeShape, UsageData: { Size: 'integer', RefCount: 'integer' } }],
  });

  await ask('POST /containers/full/kill', 204, null);
  await ask('POST /containers/full/wait', 200, { StatusCode: 'integer' });
  await ask('POST /containers/full/restart?t=0', 204, null);
  await ask('POST /containers/full/stop?t=0', 204, null);
  await ask('POST /containers/full/stop', 304, null);
  await ask('DELETE /containers/full?v=1', 204, null);
  const pruned = { SpaceReclaimed: 'integer' } as const;
  await ask('POST /containers/prune', 200, { ContainersDeleted: orNull(['id']), ...pruned });
  await ask('POST /images/prune', 200, {
    ImagesDeleted: orNull([{ 'Untagged?': 'string', 'Deleted?': 'string' }]),
    ...pruned,
  });
  await ask('DELETE /networks/net', 204, null);
  await ask('POST /networks/prune', 200, { NetworksDeleted: orNull(['string']) });
  await ask('DELETE /volumes/vol', 204, null);
  await ask('POST /volumes/prune', 200, { VolumesDeleted: orNull(['string']), ...pruned });
  await ask('POST /build/prune', 200, { CachesDeleted: orNull(['string']), ...pruned });
  await ask('GET /plugins', 200, ['string']);

  const now = ((Date.now() + 1) / 1000).toFixed(3);
  const events = await call(socket, `GET /${version}/events?since=1&until=${now}`);
  const lines = events.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.ok(lines.length > 10, 'events are replayed');
  t.same(
    lines.flatMap((line) => misfits(eventShape, line)),
    [],
    'events have their shape',
  );
});

t.test('every answer tells who speaks and which versions', { skip }, async (t) => {
  const { socket } = await openSubject(t);
  for (const line of ['HEAD /_ping', 'GET /_ping', 'GET /v1.24/_ping']) {
    const { status, headers, text } = await call(socket, line);
    t.equal(status, 200);
    t.match(headers, {
      'api-version': /^1\.\d\d$/,
      ostype: 'linux',
      'docker-experimental': 'false',
      server: /^[\w-]+\/\S+ \(linux\)$/,
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      swarm: 'inactive',
    });
    t.equal(text, line.startsWith('HEAD') ? '' : 'OK');
  }
  const { headers } = await call(socket, 'GET /v1.40/nosuch');
  t.match(headers, { 'content-type': /json/ });
});
