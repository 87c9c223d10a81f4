import { InvalidParameter } from '../errors.ts';
import type { Image } from '../images/image.ts';
import type { ContainerConfig, CreateBody, HostConfig } from '../schema/container.ts';
import { checkNetworkWishes } from './check-network-wishes.ts';
import { checkRequest } from './check-request.ts';
import { commandOf, mergeConfig, withDefaults } from './create-config.ts';
import type { Dependencies, Neighbours } from './dependencies.ts';
import { checkPlatform } from './image-platform.ts';
import { checkLinks } from './links.ts';
import { type Memberships, newMemberships } from './memberships.ts';
import { mountRequests, type RequestedMount } from './mount-requests.ts';
import { joinedContainer, resolveNeighbours } from './namespaces.ts';
import { withVolumesFrom } from './volumes-from.ts';

/** What a request comes to, with the image's defaults and the engine's filled in. */
export interface ContainerPlan {
  readonly image: Image;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly mounts: readonly RequestedMount[];
  readonly endpoints: Memberships;
  /** For the client's eyes. */
  readonly warnings: readonly string[];
}

/** Checks a request as far as that can be before anything is made. Throws NotFound (image), InvalidParameter, ... */
export function planContainer(
  body: CreateBody,
  {
    platform,
    writableBelow = false,
  }: {
    readonly platform?: string | undefined;
    /** Of every read-only bind, as clients before 1.44 know them. */
    readonly writableBelow?: boolean;
  },
  { deps, neighbours }: { readonly deps: Dependencies; readonly neighbours: Neighbours },
): ContainerPlan {
  const { HostConfig, NetworkingConfig, ...asked } = body;
  const hostConfig = resolveNeighbours(withDefaults(HostConfig), neighbours);
  if (asked.Image === '')
    throw new InvalidParameter(
      commandOf(asked).length === 0 ? 'no command specified' : 'no image specified; name one in "Image"',
    );
  const image = deps.images.resolve(asked.Image);
  const config = {
    ...mergeConfig(asked, image.config.config ?? {}),
    ...namesOfJoined(hostConfig, neighbours),
  };
  const warnings = [
    ...checkPlatform(image, { asked: platform, reference: config.Image }),
    ...checkRequest(config, hostConfig, deps.host),
  ];
  checkNetworkWishes(asked, hostConfig);
  const mounts = withVolumesFrom(
    mountRequests(config, hostConfig, { writableBelow }),
    hostConfig,
    neighbours,
  );
  const endpoints = newMemberships(
    { hostConfig, disabled: config.NetworkDisabled, macAddress: config.MacAddress },
    NetworkingConfig.EndpointsConfig,
    deps.networks,
  );
  checkLinks(hostConfig, neighbours);
  return { image, config, hostConfig, mounts, endpoints, warnings };
}

/** Who shares another's network goes by its name, too, if that is there already. */
function namesOfJoined(
  { NetworkMode }: HostConfig,
  neighbours: Neighbours,
): Partial<Pick<ContainerConfig, 'Hostname' | 'Domainname'>> {
  const joined = joinedContainer(NetworkMode);
  const record = joined === null ? undefined : neighbours.find(joined);
  return record ? { Hostname: record.config.Hostname, Domainname: record.config.Domainname } : {};
}
