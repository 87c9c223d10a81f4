import type { Digest } from '../digest.ts';
import { chainIdOf } from '../layers/chain.ts';
import type { OverlayLayerStore } from '../layers/overlay-layer-store.ts';
import { familiarName, familiarReference, type Reference } from '../reference.ts';
import type { ContainerDefaults, Image } from './image.ts';

/** Images in the casing and with the quirks of the Engine API. */

export interface ImageSummary {
  readonly Containers: number;
  readonly Created: number;
  readonly Id: Digest;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ParentId: string;
  readonly RepoDigests: readonly string[];
  readonly RepoTags: readonly string[];
  readonly SharedSize: number;
  readonly Size: number;
  readonly VirtualSize?: number;
}

/** @param containers and sharedBytes are -1 where nobody asked */
export function summaryOf(
  image: Image,
  names: readonly Reference[],
  options: { readonly containers: number; readonly sharedBytes: number; readonly apiMinor: number },
): ImageSummary {
  const { tags, digests } = split(names);
  // Clients before 1.43 expect a placeholder where there is no name.
  const isOld = options.apiMinor < 43;
  return {
    Containers: options.containers,
    Created: Math.floor(image.createdAt.getTime() / 1000),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: '',
    RepoDigests: isOld && digests.length === 0 ? ['<none>@<none>'] : digests,
    RepoTags: isOld && tags.length === 0 ? ['<none>:<none>'] : tags,
    SharedSize: options.sharedBytes,
    Size: image.sizeBytes,
    ...(options.apiMinor < 44 && { VirtualSize: image.sizeBytes }),
  };
}

/** `docker image inspect`. */
export function inspectionOf(
  image: Image,
  names: readonly Reference[],
  options: {
    readonly layerDirs: readonly string[];
    readonly apiMinor: number;
  },
): object {
  const { config } = image;
  const { tags, digests } = split(names);
  const [upper, ...lower] = options.layerDirs;
  return {
    Id: image.id,
    RepoTags: tags,
    RepoDigests: digests,
    Parent: '',
    Comment: config.history?.at(-1)?.comment ?? '',
    Created: config.created ?? '',
    DockerVersion: '',
    Author: config.author ?? '',
    Config: configShape(config.config ?? {}, options.apiMinor),
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os,
    Size: image.sizeBytes,
    ...(options.apiMinor < 44 && { VirtualSize: image.sizeBytes }),
    GraphDriver: {
      Name: 'overlay2',
      Data:
        upper === undefined
          ? null
          : { UpperDir: upper, ...(lower.length > 0 && { LowerDir: lower.join(':') }) },
    },
    RootFS: { Type: 'layers', ...(config.rootfs.diff_ids.length > 0 && { Layers: config.rootfs.diff_ids }) },
    // Go's zero time: not recorded.
    Metadata: { LastTagTime: '0001-01-01T00:00:00Z' },
  };
}

/** Before 1.50 an image's configuration had a container's members too, which mean nothing in an image. */
function configShape(config: ContainerDefaults, apiMinor: number): object {
  const legacy = {
    Hostname: '',
    Domainname: '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Image: '',
  };
  const { User, ExposedPorts, Env, Cmd, Volumes, WorkingDir, Entrypoint, OnBuild, Labels } = config;
  const { Healthcheck, StopSignal, Shell } = config;
  return {
    ...(apiMinor < 50 && legacy),
    User: User ?? '',
    ...(ExposedPorts && { ExposedPorts }),
    Env: Env ?? null,
    Cmd: Cmd ?? null,
    ...(Healthcheck && { Healthcheck }),
    Volumes: Volumes ?? null,
    WorkingDir: WorkingDir ?? '',
    Entrypoint: Entrypoint ?? null,
    OnBuild: OnBuild ?? null,
    Labels: Labels ?? null,
    ...(StopSignal && { StopSignal }),
    ...(Shell && { Shell }),
  };
}

/** `docker history`, newest first. */
export function historyOf(image: Image, names: readonly Reference[], layers: OverlayLayerStore): object[] {
  let chainId: Digest | null = null;
  let next = 0;
  const { diff_ids: diffIds } = image.config.rootfs;
  const entries = (image.config.history ?? []).map((entry) => {
    let size = 0;
    const diffId = entry.empty_layer ? undefined : diffIds[next++];
    if (diffId !== undefined) {
      chainId = chainIdOf(chainId, diffId);
      size = layers.get(chainId).sizeBytes;
    }
    return {
      Id: '<missing>',
      Created: Math.floor((Date.parse(entry.created ?? '') || 0) / 1000),
      CreatedBy: entry.created_by ?? '',
      Tags: null as readonly string[] | null,
      Size: size,
      Comment: entry.comment ?? '',
    };
  });
  const last = entries.at(-1);
  const { tags } = split(names);
  if (last) Object.assign(last, { Id: image.id, Tags: tags.length > 0 ? tags : null });
  return entries.reverse();
}

function split(names: readonly Reference[]): { tags: string[]; digests: string[] } {
  return {
    tags: names.filter(({ tag }) => tag !== undefined).map(familiarReference),
    digests: names
      .filter(({ digest }) => digest !== undefined)
      .map((name) => `${familiarName(name)}@${name.digest}`),
  };
}
