import type { OsImageFiles } from '../drivers/driver.ts';

export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

/** What an OS image has only when it is asked for (`--with`). */
export const imageExtras = ['qemu-user'] as const;
export type ImageExtra = (typeof imageExtras)[number];

/** A complete OS image in the cache: what a local VM boots, and what it is made of. */
export interface OsImage extends OsImageFiles {
  /** `sha256:…` of all inputs (packages, Node, boot files, recipe): the same digest means the same bytes. */
  readonly digest: string;
  readonly manifest: Manifest;
}

/** What is in an OS image. Also inside it, at `/usr/share/machine/manifest.json`. Holds no time stamps. */
export interface Manifest {
  readonly version: 1;
  readonly arch: Architecture;
  readonly digest: string;
  /** Digest of how it was made: package names, exclusions, modules, boot files, writers; not of package versions. */
  readonly recipe: string;
  readonly distribution: { readonly codename: string; readonly version: string };
  readonly kernelRelease: string;
  /** Absent when there is nothing but the usual. */
  readonly extras?: readonly ImageExtra[];
  readonly node: { readonly package: string; readonly version: string; readonly integrity: string };
  readonly packages: readonly ManifestPackage[];
}

export interface ManifestPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Of the .deb. */
  readonly sha256: string;
  /** Short names from the machine-readable copyright file (DEP-5), sorted. */
  readonly licences: readonly string[];
  /** Why `licences` is empty, when it is. */
  readonly licencesAbsent?: string;
}

/** One line of `machine image ls`. A damaged image is listed with `broken` and can be removed. */
export interface OsImageSummary {
  readonly digest: string;
  readonly arch: Architecture | null;
  readonly builtAt: Date;
  readonly sizeBytes: number;
  readonly kernelRelease: string | null;
  readonly extras: readonly ImageExtra[];
  readonly broken: string | null;
}

export const buildPhases = ['index', 'download', 'unpack', 'assemble'] as const;
export type BuildPhase = (typeof buildPhases)[number];

/** Where a build is. `totalBytes` is null while it is not known; bytes count within the phase. */
export interface BuildProgress {
  readonly phase: BuildPhase;
  /** What is being worked on, such as a package's name. */
  readonly item: string;
  readonly doneBytes: number;
  readonly totalBytes: number | null;
}

export interface EnsureOsImageOptions {
  readonly arch: Architecture;
  /** In any order. */
  readonly extras?: readonly ImageExtra[];
  /** `<store>/cache`; made when missing. */
  readonly cacheDirectory: string;
  /** What goes to `/opt/machine` in the guest: the agent's bundle. */
  readonly agentDirectory: string;
  /** The tree `guest/boot`: `initramfs/` and `root/` are laid over the respective roots. */
  readonly bootDirectory: string;
  /** Where Debian's packages come from; what is not given is found by `findMirrors`. */
  readonly mirrors?: MirrorSettings;
  /** Ask the mirror for newer packages even when an image of this recipe is cached. */
  readonly refresh?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BuildProgress) => void;
}

/** Settings of the config file. Environment variables win over them. */
export interface MirrorSettings {
  /** URL of a Debian archive, such as what apt's `URIs:` holds; MACHINE_DEBIAN_MIRROR. */
  readonly debian?: string;
  /** URL of the matching security archive, or `none`; MACHINE_DEBIAN_SECURITY_MIRROR. */
  readonly security?: string;
}
