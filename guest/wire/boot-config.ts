/**
 * What the host hands a local VM at power-on: one JSON document in the QEMU fw_cfg item
 * {@link bootConfigItem}. The guest reads it at `/sys/firmware/qemu_fw_cfg/by_name/<item>/raw`.
 * Nothing in a VM needs SSH to come up, so this is everything the agent must know.
 */
export const bootConfigItem = 'opt/machine/boot';

export interface BootConfig {
  readonly version: 1;
  readonly hostname: string;
  readonly ssh: {
    /** Lines for `authorized_keys` of root. */
    readonly authorizedKeys: readonly string[];
    /** The server's ed25519 host key, OpenSSH private key format; made and pinned by the host. */
    readonly hostKey: string;
  };
  /** PEM texts of the engine's TLS listener: clients must present a certificate of `ca`. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly engine: EngineOptions;
  readonly host: HostSettings;
  /** Directories of the host, in the order of their keys in the host's SFTP server: 0, 1, … */
  readonly directories: readonly SharedDirectory[];
  readonly directoriesBy: MountType;
}

/** How directories of the host come: from its SFTP server, or as virtiofs devices of the VM ({@link shareTag}). */
export const mountTypes = ['sftp', 'virtiofs'] as const;
export type MountType = (typeof mountTypes)[number];

/** A virtiofs device is called so, with its directory's number in {@link BootConfig.directories} at the end. */
export const shareTag = 'share';

/** How the host's own programs reach others; the engine does as they do. */
export interface HostSettings {
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, those that are set. A loopback address in them means the host. */
  readonly proxies: Readonly<Record<string, string>>;
  /** Certificates (PEM) of authorities that the host trusts besides the well-known ones. */
  readonly authorities: readonly string[];
}

export interface SharedDirectory {
  /** Where it is in the guest: absolute, without dots and without a slash at its end. */
  readonly path: string;
  readonly readonly: boolean;
}

/** Engine settings a user gives at `machine create` (docker-machine's `--engine-*`). */
export interface EngineOptions {
  readonly labels: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  /** Environment of the agent, such as HTTP_PROXY. */
  readonly env: Readonly<Record<string, string>>;
}
