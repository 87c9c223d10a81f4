import type { Reference } from '../reference.ts';
import type { ContainerDefaults, Image } from './image.ts';
import type { ManifestSummary } from './manifest-summary.ts';
import { splitNames } from './summary.ts';

/** `docker image inspect`. */
export function inspectionOf(
  image: Image,
  names: readonly Reference[],
  options: {
    readonly layerDirs: readonly string[];
    readonly apiMinor: number;
    readonly manifest?: ManifestSummary | undefined;
  },
): object {
  const { config } = image;
  const { tags, digests } = splitNames(names);
  const [upper, ...lower] = options.layerDirs;
  return {
    Id: image.id,
    RepoTags: tags,
    RepoDigests: digests,
    Parent: image.parent ?? '',
    Comment: config.comment || (config.history?.at(-1)?.comment ?? ''),
    Created: config.created ?? (options.apiMinor < 44 ? '0001-01-01T00:00:00Z' : ''),
    // No image of ours is made of a container that it would name.
    ...(options.apiMinor < 45 && { ContainerConfig: configShape({}, options.apiMinor) }),
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: configShape(config.config ?? {}, options.apiMinor),
    Architecture: config.architecture,
    ...(config.variant && { Variant: config.variant }),
    Os: config.os,
    ...(config['os.version'] && { OsVersion: config['os.version'] }),
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
    // Go's zero time: not known.
    Metadata: { LastTagTime: image.taggedAt?.toISOString() ?? '0001-01-01T00:00:00Z' },
    ...(options.manifest && { Manifests: [options.manifest] }),
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
