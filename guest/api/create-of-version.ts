import { InvalidParameter } from '../errors.ts';
import type { CreateBody, HostConfig, MountRequest } from '../schema/container.ts';

/** A request to make a container, in the sense that it had in the client's version of the API. */
export interface VersionedCreate {
  readonly body: CreateBody;
  /** Read-only binds leave writable what is mounted below them. */
  readonly writableBelow: boolean;
  readonly warnings: readonly string[];
}

/**
 * What a client of an older version could not know of is not meant by it, and what it relies on is so (moby,
 * container_routes.go, postContainersCreate). Throws InvalidParameter in dockerd's words for what has to be asked of
 * a newer version.
 */
export function createOfVersion(asked: CreateBody, apiMinor: number): VersionedCreate {
  const { HostConfig: host, ...body } = asked;
  const Mounts = host.Mounts.map((mount) => mountOfVersion(mount, apiMinor));
  if (apiMinor < 44 && Object.keys(body.NetworkingConfig.EndpointsConfig).length > 1)
    throw new InvalidParameter(
      `Container cannot be created with multiple network endpoints: ${Object.keys(body.NetworkingConfig.EndpointsConfig).join(', ')}`,
    );
  const HostConfig: HostConfig = {
    ...host,
    Mounts,
    ...(apiMinor < 25 && { AutoRemove: false }),
    ...(apiMinor < 40 && host.IpcMode === '' && { IpcMode: 'shareable' }),
    ...(apiMinor < 42 && { ConsoleSize: [0, 0] as [number, number] }),
    ...(apiMinor < 43 && { Annotations: {} }),
  };
  const Healthcheck =
    apiMinor < 44 && body.Healthcheck ? { ...body.Healthcheck, StartInterval: 0 } : body.Healthcheck;
  return {
    ...withMacAddress({ ...body, Healthcheck, HostConfig }, apiMinor),
    writableBelow: apiMinor < 44,
  };
}

function mountOfVersion(asked: MountRequest, apiMinor: number): MountRequest {
  const { Type } = asked;
  const mount: MountRequest = { ...asked };
  const options = ['VolumeOptions', 'BindOptions', 'TmpfsOptions'] as const;
  const foreign = options.filter((name) => asked[name] && name !== ownOptions[Type]);
  if (apiMinor < 42) {
    // They mean nothing, and were not refused.
    if (foreign.includes('VolumeOptions')) mount.VolumeOptions = null;
    if (foreign.includes('TmpfsOptions')) mount.TmpfsOptions = null;
  } else if (foreign[0])
    throw new InvalidParameter(`${foreign[0]} must not be specified on mount type ${JSON.stringify(Type)}`);
  if (apiMinor < 44 && Type === 'bind' && mount.BindOptions?.ReadOnlyForceRecursive)
    throw new InvalidParameter('BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer');
  if (apiMinor < 45 && mount.VolumeOptions?.Subpath)
    throw new InvalidParameter('VolumeOptions.Subpath needs API v1.45 or newer');
  if (mount.BindOptions)
    mount.BindOptions = {
      ...mount.BindOptions,
      ...(apiMinor < 40 && { NonRecursive: false }),
      ...(apiMinor < 42 && { CreateMountpoint: false }),
    };
  return mount;
}

const ownOptions: Readonly<Record<string, string>> = {
  bind: 'BindOptions',
  volume: 'VolumeOptions',
  tmpfs: 'TmpfsOptions',
};

/** An address was the container's before 1.44, and has been that of one of its networks since. */
function withMacAddress(body: CreateBody, apiMinor: number): Pick<VersionedCreate, 'body' | 'warnings'> {
  const { MacAddress, HostConfig, NetworkingConfig } = body;
  const { EndpointsConfig } = NetworkingConfig;
  const withEndpoints = (
    change: (endpoint: Endpoint | null, name: string) => Endpoint | null,
  ): CreateBody => ({
    ...body,
    NetworkingConfig: {
      EndpointsConfig: Object.fromEntries(
        Object.entries(EndpointsConfig).map(([name, endpoint]) => [name, change(endpoint, name)]),
      ),
    },
  });
  if (apiMinor < 44) {
    if (MacAddress === '')
      return { body: withEndpoints((endpoint) => endpoint && { ...endpoint, MacAddress: '' }), warnings: [] };
    // The only one has it, whatever its name.
    return { body: withEndpoints((endpoint) => ({ ...none, ...endpoint, MacAddress })), warnings: [] };
  }
  if (MacAddress === '') return { body, warnings: [] };
  const mode = HostConfig.NetworkMode || 'default';
  const isOwn = (name: string) => name === mode || (bridges.includes(mode) && bridges.includes(name));
  if (Object.keys(EndpointsConfig).length > 0 && !Object.keys(EndpointsConfig).some(isOwn))
    throw new InvalidParameter(
      'if a container-wide MAC address is supplied, HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks',
    );
  return {
    body,
    warnings: [
      'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.',
    ],
  };
}

type Endpoint = NonNullable<CreateBody['NetworkingConfig']['EndpointsConfig'][string]>;
const bridges = ['default', 'bridge'];
const none: Endpoint = { Aliases: null, Links: null, IPAMConfig: null, DriverOpts: null, GwPriority: 0 };
