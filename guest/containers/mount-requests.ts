import { posix } from 'node:path';
import { InvalidParameter } from '../errors.ts';
import type { ContainerConfig, HostConfig, MountRequest } from '../schema/container.ts';
import type { VolumeWish } from '../volumes/volume-store.ts';
import type { RecordedMount } from './container-record.ts';
import { propagations } from './propagation.ts';

/** A mount as it is asked for. */
export interface RequestedMount extends RecordedMount {
  /** For a volume that does not exist yet. */
  readonly volume?: VolumeWish;
}

const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const consistencies = ['', 'default', 'consistent', 'cached', 'delegated'];
/** What has a meaning for other types only. */
const foreignFields: Readonly<Record<string, readonly ('BindOptions' | 'VolumeOptions')[]>> = {
  bind: ['VolumeOptions'],
  volume: ['BindOptions'],
  tmpfs: ['BindOptions'],
};
/** The words of a mode, of which each line gives one at most. */
const modeWords = [['ro', 'rw'], ['z', 'Z'], ['nocopy'], ['consistent', 'cached', 'delegated'], propagations];
/** What dockerd shows of a volume that is asked for without a mode, with SELinux and without; not of an image's. */
const askedVolumeMode = 'z';
/** What runc lets be mounted over in /proc (checkProcMount): nothing of it has a say in security. */
const replaceable = [
  ...['cpuinfo', 'diskstats', 'loadavg', 'meminfo', 'net/dev', 'slabinfo', 'stat', 'swaps', 'uptime'],
  ...['sys/crypto/fips_enabled', 'sys/kernel/ns_last_pid'],
].map((name) => `/proc/${name}`);
const defaults: RecordedMount = {
  type: 'bind',
  name: '',
  source: '',
  destination: '',
  readonly: false,
  writableBelow: false,
  mode: '',
  propagation: 'rprivate',
  recursive: true,
  anonymous: false,
  copyUp: false,
  createSource: false,
  tmpfsOptions: '',
};

/**
 * All mounts that a container asked for, by `-v`, `--mount`, `--tmpfs` and its image; volumes have no source
 * yet. Throws InvalidParameter in dockerd's words, as for two mounts at one place.
 */
export function mountRequests(
  config: ContainerConfig,
  host: HostConfig,
  { writableBelow = false }: { readonly writableBelow?: boolean } = {},
): RequestedMount[] {
  const asked = [
    ...[...(host.Binds ?? []).map(parseBind), ...host.Mounts.map(parseMount)].map((mount) =>
      writableBelow && mount.type === 'bind' && mount.readonly ? { ...mount, writableBelow } : mount,
    ),
    ...Object.entries(host.Tmpfs).map(([path, tmpfsOptions]): RecordedMount => {
      return {
        ...defaults,
        type: 'tmpfs',
        destination: destinationOf(path),
        propagation: '',
        tmpfsOptions,
      };
    }),
  ];
  const taken = new Set<string>();
  for (const { destination } of asked) {
    if (taken.has(destination)) throw new InvalidParameter(`Duplicate mount point: ${destination}`);
    taken.add(destination);
  }
  const anonymous = config.Volumes.map((path) => destinationOf(path))
    .filter((destination) => !taken.has(destination))
    .map((destination): RecordedMount => volume('', destination, { copyUp: true }));
  const mounts = [...asked, ...anonymous];
  // It makes the volumes, and is nobody's where there are none.
  if (mounts.some(({ type }) => type === 'volume')) checkVolumeDriver(host.VolumeDriver);
  return mounts;
}

/** `source:destination[:options]`, `destination`: a path is bound, a name is a volume. */
function parseBind(text: string): RecordedMount {
  const invalid = new InvalidParameter(`invalid volume specification: '${text}'`);
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part) => part === '')) throw invalid;
  const [source, destination, mode = ''] =
    parts.length === 1 ? ['', parts[0]!] : (parts as [string, string, string?]);
  const options = mode.split(',').filter((word) => word !== '');
  const known = modeWords.map((words) => options.filter((word) => words.includes(word)).length);
  if (known.some((count) => count > 1) || known.reduce((sum, count) => sum + count) < options.length)
    throw new InvalidParameter(`invalid mode: ${mode}`);
  const wrong = (type: string, text: string) =>
    new InvalidParameter(`${invalid.message}: invalid mount config for type "${type}": ${text}`);
  const common = {
    destination: destinationOf(destination, (text) =>
      wrong(source.startsWith('/') ? 'bind' : 'volume', text),
    ),
    readonly: options.includes('ro'),
    mode,
  };
  const misplaced = (type: string, field: string) => wrong(type, `field ${field} must not be specified`);
  if (source.startsWith('/')) {
    if (options.includes('nocopy')) throw misplaced('bind', 'VolumeOptions');
    const propagation = options.find((word) => propagations.includes(word)) ?? 'rprivate';
    return { ...defaults, ...common, source: posix.normalize(source), propagation, createSource: true };
  }
  if (source.length > 1 && !volumeName.test(source)) {
    throw new InvalidParameter(
      `${JSON.stringify(source)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (options.some((word) => propagations.includes(word))) throw misplaced('volume', 'BindOptions');
  const copyUp = !options.includes('nocopy');
  return volume(source, common.destination, { ...common, mode: mode || askedVolumeMode, copyUp });
}

function parseMount(mount: MountRequest): RequestedMount {
  const invalid = (text: string) =>
    new InvalidParameter(`invalid mount config for type "${mount.Type}": ${text}`);
  if (mount.Target === '') throw invalid('field Target must not be empty');
  const common = { destination: destinationOf(mount.Target, invalid), readonly: mount.ReadOnly };
  for (const field of foreignFields[mount.Type] ?? [])
    if (mount[field]) throw invalid(`field ${field} must not be specified`);
  checkReadonly(mount, invalid);
  // Words for Docker Desktop's file sharing; on Linux they mean nothing, to dockerd either.
  if (!consistencies.includes(mount.Consistency))
    throw invalid(
      `invalid consistency: ${mount.Consistency}; use one of ${consistencies.slice(1).join(', ')}`,
    );
  switch (mount.Type) {
    case 'bind': {
      if (mount.Source === '') throw invalid('field Source must not be empty');
      if (!mount.Source.startsWith('/'))
        throw invalid(`invalid mount path: '${mount.Source}' mount path must be absolute`);
      const propagation = mount.BindOptions?.Propagation || 'rprivate';
      if (!propagations.includes(propagation)) throw invalid(`invalid propagation mode: ${propagation}`);
      return {
        ...defaults,
        ...common,
        source: posix.normalize(mount.Source),
        propagation,
        recursive: !mount.BindOptions?.NonRecursive,
        writableBelow: mount.BindOptions?.ReadOnlyNonRecursive ?? false,
        createSource: mount.BindOptions?.CreateMountpoint ?? false,
      };
    }
    case 'volume': {
      const { Subpath: subpath = '', DriverConfig, Labels, NoCopy } = mount.VolumeOptions ?? {};
      for (const [field, isSet] of Object.entries({
        Subpath: subpath !== '',
        'ReadOnly mode': mount.ReadOnly,
      }))
        if (isSet && mount.Source === '') throw invalid(`must not set ${field} when using anonymous volumes`);
      checkSubpath(subpath, 'volume', invalid);
      checkVolumeDriver(DriverConfig?.Name ?? '');
      return {
        ...volume(mount.Source, common.destination, {
          ...common,
          mode: askedVolumeMode,
          subpath,
          copyUp: !NoCopy,
        }),
        volume: { labels: Labels ?? {}, options: DriverConfig?.Options ?? {} },
      };
    }
    case 'image': {
      if (mount.Source === '') throw invalid('field Source must not be empty');
      const subpath = mount.ImageOptions?.Subpath ?? '';
      checkSubpath(subpath, 'image', invalid);
      return { ...defaults, ...common, type: 'image', name: mount.Source, subpath, readonly: true };
    }
    case 'tmpfs': {
      if (mount.Source !== '') throw invalid('field Source must not be specified');
      const { SizeBytes = 0, Mode = 0, Options = [] } = mount.TmpfsOptions ?? {};
      const options = [
        ...Options.map(tmpfsOption),
        ...(SizeBytes > 0 ? [`size=${SizeBytes}`] : []),
        ...(Mode > 0 ? [`mode=${Mode.toString(8)}`] : []),
        ...(mount.ReadOnly ? ['ro'] : []),
      ];
      return { ...defaults, ...common, type: 'tmpfs', propagation: '', tmpfsOptions: options.join(',') };
    }
    default:
      throw new InvalidParameter(`invalid mount config for type "${mount.Type}": mount type unknown`);
  }
}

function checkSubpath(subpath: string, whole: string, invalid: (text: string) => Error): void {
  if (subpath.startsWith('/') || subpath.split('/').includes('..'))
    throw invalid(`subpath must be a relative path within the ${whole}`);
}

/** `["noexec"]`, `["uid", "1000"]`: the API's form. */
function tmpfsOption(words: readonly string[]): string {
  if (words.length < 1 || words.length > 2 || words.some((word) => /[,=]/.test(word) || word === ''))
    throw new InvalidParameter('invalid option array length or content in TmpfsOptions.Options');
  return words.join('=');
}

/** Not NotFound, as with dockerd: docker run would take the image for missing. */
function checkVolumeDriver(name: string): void {
  if (name === '' || name === 'local') return;
  throw new InvalidParameter(
    `error looking up volume plugin ${name}: plugin "${name}" not found; this engine has the driver "local"`,
  );
}

/** moby's rules; where mounts below are to be read-only, they always are: every kernel of ours can. */
function checkReadonly({ ReadOnly, BindOptions }: MountRequest, invalid: (text: string) => Error): void {
  const { ReadOnlyNonRecursive: writable, ReadOnlyForceRecursive: forced, NonRecursive } = BindOptions ?? {};
  if ((writable || forced) && !ReadOnly)
    throw invalid('ReadOnlyNonRecursive and ReadOnlyForceRecursive need ReadOnly');
  if (forced && (writable || NonRecursive))
    throw invalid('ReadOnlyForceRecursive conflicts with ReadOnlyNonRecursive and NonRecursive');
}

function volume(name: string, destination: string, more: Partial<RecordedMount>): RecordedMount {
  return { ...defaults, type: 'volume', name, destination, propagation: '', anonymous: name === '', ...more };
}

/** `invalid` makes the error, with what the mount is before what is wrong. */
function destinationOf(path: string, invalid = (text: string) => new InvalidParameter(text)): string {
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  if (clean === '/') throw invalid("invalid specification: destination can't be '/'");
  if (clean.startsWith('/proc/') && !replaceable.includes(clean))
    throw new InvalidParameter(`"${clean}" cannot be mounted because it is inside /proc`);
  return clean;
}
