/**
 * What containers need of networks. Kernel state (bridges, veth, nftables, namespaces) is derived: it is
 * rebuilt whole and idempotently from the records at start; nothing is stored only in the kernel.
 */
export interface NetworkManager {
  /**
   * Makes a container's sandbox before its process starts: namespace, addresses, routes, published ports,
   * and its `hosts` and `resolv.conf` files in `directory`. Throws InvalidParameter, NotFound (network),
   * Conflict (of options) or Internal (port taken, named in the message) and leaves nothing.
   */
  connectSandbox(request: SandboxRequest): Promise<Sandbox>;
  /** Gives back everything of {@link connectSandbox}. Idempotent. */
  releaseSandbox(containerId: string): Promise<void>;
  /** Throws what {@link connectSandbox} would refuse at once: InvalidParameter, or NotFound for a network. */
  checkRequest(request: Pick<SandboxRequest, 'mode' | 'endpoints'>): void;
  /**
   * Connects a running container to a further network, which is among the request's endpoints. Its default
   * route, its published ports and its files follow. Throws as connectSandbox, Forbidden when it is connected,
   * and leaves nothing.
   */
  connectNetwork(request: LiveSandboxRequest, networkId: string): Promise<void>;
  /** The reverse; the request's endpoints are those that stay. Throws Internal when it is not connected. */
  disconnectNetwork(request: LiveSandboxRequest, networkId: string): Promise<void>;
  /** A running container has a new name, and neighbours may ask for it. */
  renameContainer(containerId: string, name: string): void;
  /** By name, id or unique prefix of an id. Throws NotFound. */
  findNetwork(reference: string): { readonly id: string; readonly name: string; readonly driver: string };
  /** What is there for a live container, after an agent restart too; null when it has no sandbox. */
  inspectSandbox(containerId: string): SandboxSettings | null;
  /** At start: keeps the sandboxes of `live` containers and removes all others. */
  reconcile(live: readonly string[]): Promise<void>;
}

export interface SandboxRequest {
  readonly containerId: string;
  readonly containerName: string;
  readonly hostname: string;
  readonly domainname?: string;
  /** HostConfig.NetworkMode: `default`, `bridge`, `none`, `host`, `container:<id>` or a network's name. */
  readonly mode: string;
  /** With the mode `container:<id>`: the running container whose namespace and files are shared. */
  readonly joined?: {
    readonly containerId: string;
    readonly pid: number;
    /** Where its files are; otherwise beside {@link directory}, by its id. */
    readonly directory?: string;
  };
  /** NetworkingConfig.EndpointsConfig by network name or id; wire shape. */
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
  /** HostConfig.PortBindings, key `80/tcp`; wire shape. An empty HostPort asks for any free port. */
  readonly portBindings: Readonly<Record<string, readonly { HostIp?: string; HostPort?: string }[] | null>>;
  readonly exposedPorts: readonly string[];
  readonly publishAllPorts: boolean;
  readonly dns: {
    readonly servers: readonly string[];
    readonly search: readonly string[];
    readonly options: readonly string[];
  };
  /** `host:ip` pairs; `host-gateway` is an address word. */
  readonly extraHosts: readonly string[];
  /** Names of linked containers, for the hosts file. */
  readonly linkedHosts: readonly { readonly address: string; readonly names: readonly string[] }[];
  /** Where `hosts` and `resolv.conf` are written. */
  readonly directory: string;
}

/** A request for a container that runs as the process `pid`. */
export type LiveSandboxRequest = SandboxRequest & { readonly pid: number };

export interface EndpointRequest {
  readonly Aliases?: readonly string[] | null;
  /** `container:alias`, or a container's name alone; the alias is good for the asking container only. */
  readonly Links?: readonly string[] | null;
  readonly MacAddress?: string;
  readonly IPAMConfig?: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[];
  } | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  /** The endpoint with the highest leads out. */
  readonly GwPriority?: number;
}

export interface Sandbox extends SandboxSettings {
  readonly namespace: SandboxNamespace;
}

/**
 * For the OCI spec. `path`: a namespace to join, good until the sandbox is released (it is a file of this
 * process's own /proc); `host`: the engine's own; `new`: a fresh one that the OCI runtime makes, loopback only.
 */
export type SandboxNamespace =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'host' }
  | { readonly kind: 'new' };

export interface SandboxSettings {
  /** Inspect's NetworkSettings parts, wire shape. */
  readonly ports: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>;
  readonly networks: Readonly<Record<string, EndpointSettings>>;
}

/** Wire shape of inspect's NetworkSettings.Networks[name]. */
export interface EndpointSettings {
  readonly IPAMConfig: object | null;
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  readonly DriverOpts: object | null;
  readonly GwPriority: number;
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly MacAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly DNSNames: readonly string[] | null;
}
