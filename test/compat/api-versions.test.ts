import t, { type Test } from 'tap';
import { enterOwnNetwork } from '../helpers/own-network.ts';
import { call } from './http.ts';
import { cannotPlay, openSubject } from './subject.ts';

/** What a client of an older API is answered differently: see moby's uses of its package `versions`. */

const skip = cannotPlay() ?? enterOwnNetwork() ?? false;
t.setTimeout(300_000);

const image = { Image: 'busybox', Cmd: ['true'] };
const mounted = (mount: object) => ({ ...image, HostConfig: { Mounts: [{ Target: '/m', ...mount }] } });
const bound = (more: object) => mounted({ Type: 'bind', Source: '/etc', ...more });
const twoNetworks = { ...image, NetworkingConfig: { EndpointsConfig: { bridge: {}, net: {} } } };
const withMac = { ...image, MacAddress: '02:00:00:00:00:09' };
const macOfEndpoint = {
  ...image,
  NetworkingConfig: { EndpointsConfig: { bridge: { MacAddress: '02:00:00:00:00:08' } } },
};

type Row = readonly [version: string, body: object, path: string, expected: unknown];

/** A container is made as asked; then its inspection has this at the path, or the refusal this message. */
const creations: readonly Row[] = [
  ['1.24', { ...image, HostConfig: { AutoRemove: true } }, 'HostConfig.AutoRemove', false],
  ['1.25', { ...image, HostConfig: { AutoRemove: true } }, 'HostConfig.AutoRemove', true],
  ['1.39', image, 'HostConfig.IpcMode', 'shareable'],
  ['1.39', { ...image, HostConfig: { IpcMode: 'private' } }, 'HostConfig.IpcMode', 'private'],
  ['1.40', image, 'HostConfig.IpcMode', 'private'],
  [
    '1.39',
    bound({ BindOptions: { NonRecursive: true } }),
    'HostConfig.Mounts.0.BindOptions.NonRecursive',
    undefined,
  ],
  [
    '1.40',
    bound({ BindOptions: { NonRecursive: true } }),
    'HostConfig.Mounts.0.BindOptions.NonRecursive',
    true,
  ],
  ['1.41', { ...image, HostConfig: { ConsoleSize: [9, 9] } }, 'HostConfig.ConsoleSize', [0, 0]],
  ['1.42', { ...image, HostConfig: { ConsoleSize: [9, 9] } }, 'HostConfig.ConsoleSize', [9, 9]],
  [
    '1.42',
    bound({ VolumeOptions: { NoCopy: true } }),
    'message',
    'VolumeOptions must not be specified on mount type "bind"',
  ],
  [
    '1.42',
    bound({ TmpfsOptions: { SizeBytes: 1 } }),
    'message',
    'TmpfsOptions must not be specified on mount type "bind"',
  ],
  [
    '1.41',
    bound({ Source: '/nowhere', BindOptions: { CreateMountpoint: true } }),
    'message',
    'invalid mount config for type "bind": bind source path does not exist: /nowhere',
  ],
  ['1.42', { ...image, HostConfig: { Annotations: { a: 'b' } } }, 'HostConfig.Annotations.a', undefined],
  ['1.43', { ...image, HostConfig: { Annotations: { a: 'b' } } }, 'HostConfig.Annotations.a', 'b'],
  [
    '1.43',
    { ...image, Healthcheck: { Test: ['CMD', 'true'], StartInterval: 10 ** 9 } },
    'Config.Healthcheck.StartInterval',
    undefined,
  ],
  [
    '1.44',
    { ...image, Healthcheck: { Test: ['CMD', 'true'], StartInterval: 10 ** 9 } },
    'Config.Healthcheck.StartInterval',
    10 ** 9,
  ],
  [
    '1.43',
    bound({ ReadOnly: true, BindOptions: { ReadOnlyForceRecursive: true } }),
    'message',
    'BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer',
  ],
  ['1.43', twoNetworks, 'message', /^Container cannot be created with multiple network endpoints: \w+, \w+$/],
  ['1.44', twoNetworks, 'HostConfig.NetworkMode', 'bridge'],
  [
    '1.44',
    mounted({ Type: 'volume', Source: 'v', VolumeOptions: { Subpath: 'a' } }),
    'message',
    'VolumeOptions.Subpath needs API v1.45 or newer',
  ],
  ['1.43', withMac, 'Config.MacAddress', '02:00:00:00:00:09'],
  ['1.43', macOfEndpoint, 'Config.MacAddress', undefined],
  ['1.44', macOfEndpoint, 'Config.MacAddress', '02:00:00:00:00:08'],
  ['1.44', withMac, 'Config.MacAddress', '02:00:00:00:00:09'],
  [
    '1.44',
    { ...withMac, NetworkingConfig: { EndpointsConfig: { net: {} } } },
    'message',
    'if a container-wide MAC address is supplied, HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks',
  ],
];

/** Versions, a request, and the path of what is answered. */
const answers: readonly (readonly [version: string, line: string, path: string, expected: unknown])[] = [
  ['1.44', 'GET /containers/made/json', 'NetworkSettings.Networks.net.Aliases.0', /^[0-9a-f]{12}$/],
  ['1.45', 'GET /containers/made/json', 'NetworkSettings.Networks.net.Aliases', null],
  ['1.42', 'GET /images/json', '0.RepoTags.0', /\w/],
  ['1.43', 'GET /images/json', '0.VirtualSize', 'number'],
  ['1.44', 'GET /images/json', '0.VirtualSize', undefined],
  ['1.43', 'GET /images/busybox/json', 'VirtualSize', 'number'],
  ['1.44', 'GET /images/busybox/json', 'VirtualSize', undefined],
  ['1.44', 'GET /images/busybox/json', 'ContainerConfig.Tty', false],
  ['1.44', 'GET /images/busybox/json', 'ContainerConfig', 'object'],
  ['1.45', 'GET /images/busybox/json', 'ContainerConfig', undefined],
  ['1.40', 'GET /images/json?filter=nosuch', '0', undefined],
  ['1.41', 'GET /images/json?filter=nosuch', '0.Id', 'string'],
  ['1.41', 'GET /images/json?shared-size=1', '0.SharedSize', -1],
  ['1.42', 'GET /images/json?shared-size=1', '0.SharedSize', 'number'],
  ['1.41', 'GET /system/df?type=volume', 'Images.0.Id', 'string'],
  ['1.42', 'GET /system/df?type=volume', 'Images', null],
  ['1.27', 'GET /networks?filters={"name":["net"]}', '0.Containers', 'object'],
  ['1.24', 'GET /info', 'SecurityOptions.0', /^\w+$/],
  ['1.25', 'GET /info', 'SecurityOptions.0', /^name=/],
  ['1.24', 'GET /info', 'ExecutionDriver', '<not supported>'],
  ['1.25', 'GET /info', 'ExecutionDriver', undefined],
  ['1.29', 'POST /containers/made/wait?condition=nonsense', 'StatusCode', 0],
  ['1.30', 'POST /containers/made/wait?condition=nonsense', 'message', 'invalid condition: "nonsense"'],
  ['1.40', 'GET /containers/made/stats?one-shot=1&stream=0', 'precpu_stats.system_cpu_usage', undefined],
];

t.test('older clients are answered as they expect', { skip }, async (t) => {
  const subject = await openSubject(t);
  await subject.output(['network', 'create', 'net']);
  t.teardown(async () => {
    await subject.docker(['rm', '-fv', 'made']);
    await subject.docker(['network', 'rm', 'net']);
  });
  await subject.output(['create', '--name', 'made', '--network', 'net', 'busybox', 'true']);
  for (const [version, body, path, expected] of creations) {
    const made = await call(subject.socket, `POST /v${version}/containers/create`, { body });
    const { Id } = made.json as { Id?: string };
    const seen = Id ? (await call(subject.socket, `GET /v1.45/containers/${Id}/json`)).json : made.json;
    if (Id) await call(subject.socket, `DELETE /v1.45/containers/${Id}?v=1`);
    check(t, `v${version} ${JSON.stringify(body)}`, at(seen, path), expected);
  }
  for (const [version, line, path, expected] of answers) {
    const [method = '', target = ''] = line.split(' ');
    const { json } = await call(subject.socket, `${method} ${encodeURI(`/v${version}${target}`)}`);
    check(t, `v${version} ${line}`, at(json, path), expected);
  }
});

t.test('what is wrong with an attachment is said as bytes', { skip }, async (t) => {
  const { socket } = await openSubject(t);
  const { headers, text } = await call(socket, 'POST /v1.45/containers/nosuch/attach?stream=1');
  t.equal(headers['content-type'], 'application/vnd.docker.raw-stream');
  t.equal(text, 'No such container: nosuch\r\n');
});

function check(t: Test, title: string, found: unknown, expected: unknown): void {
  if (expected instanceof RegExp) t.match(String(found), expected, title);
  else if (typeof expected === 'string' && ['number', 'object', 'string'].includes(expected))
    t.equal(typeof found, expected, title);
  else t.same(found || undefined, expected || undefined, title);
}

function at(json: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | null | undefined)?.[name], json);
}
