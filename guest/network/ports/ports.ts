import { InvalidParameter } from '../../errors.ts';
import { type Family, familyOf, parseAddress } from '../../ip.ts';

export const portProtocols = ['tcp', 'udp', 'sctp'] as const;
export type PortProtocol = (typeof portProtocols)[number];

export interface ContainerPort {
  readonly containerPort: number;
  readonly protocol: PortProtocol;
}

/** A port of the host that leads to one of a container. */
export interface PublishedPort extends ContainerPort {
  /** `0.0.0.0` and `::` are every address of their kind. */
  readonly hostAddress: string;
  readonly hostPort: number;
  /**
   * No address was asked for, and a host in front of this one forwards: there it is its loopback, though every address
   * of this one leads there (docs/decisions/0014-host-ports.md).
   */
  readonly byDefault?: true;
}

/**
 * As asked for: the same port of every address, any free one of a range; `null` leaves the choice to the
 * engine.
 */
export interface PortRequest extends ContainerPort {
  readonly hostAddresses: readonly string[];
  readonly hostPorts: { readonly first: number; readonly last: number } | null;
  readonly byDefault?: true;
}

/** HostConfig.PortBindings, wire shape. */
export type PortBindings = Readonly<
  Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>
>;

/** What must be published, in a stable order. Throws InvalidParameter. */
export function portRequests(options: {
  readonly bindings: PortBindings;
  readonly exposed: readonly string[];
  readonly publishAll: boolean;
  /** Where a port is published when no address is asked for. */
  readonly defaultAddresses: readonly string[];
  /** Whether what is published there is the loopback's of the host in front; see {@link PublishedPort}. */
  readonly forwarded?: boolean;
}): PortRequest[] {
  const byDefault = {
    hostAddresses: options.defaultAddresses,
    ...(options.forwarded && ({ byDefault: true } as const)),
  };
  const requests: PortRequest[] = [];
  for (const [key, bindings] of Object.entries(options.bindings)) {
    const port = parsePort(key);
    // `-p 80` comes as one empty binding; an empty list means the same.
    for (const binding of bindings?.length ? bindings : [{}]) {
      requests.push({
        ...port,
        ...(binding.HostIp ? { hostAddresses: [hostAddress(binding.HostIp)] } : byDefault),
        hostPorts: hostPorts(binding.HostPort ?? ''),
      });
    }
  }
  for (const key of options.publishAll ? options.exposed : []) {
    const port = parsePort(key);
    const bound = requests.some(
      (other) => other.containerPort === port.containerPort && other.protocol === port.protocol,
    );
    if (!bound) requests.push({ ...port, ...byDefault, hostPorts: null });
  }
  return requests;
}

/** `80/tcp`; the protocol is tcp when it is not said. Throws InvalidParameter. */
export function parsePort(key: string): ContainerPort {
  const [number = '', protocol = 'tcp', ...rest] = key.split('/');
  const containerPort = portNumber(number);
  if (containerPort === null || containerPort === 0 || rest.length > 0) {
    throw new InvalidParameter(`invalid port specification: "${key}"`);
  }
  if (!isProtocol(protocol)) {
    throw new InvalidParameter(
      `invalid proto: ${protocol}; this engine publishes ${portProtocols.join(', ')}`,
    );
  }
  return { containerPort, protocol };
}

/** A port as answers name it: `80` of a request is `80/tcp`, as an image says it. */
export function portKey(key: string): string {
  return key.includes('/') ? key : `${key}/tcp`;
}

/** Inspect's NetworkSettings.Ports: what is published, and null for what is only exposed. */
export function portMap(
  published: readonly PublishedPort[],
  exposed: readonly string[],
): Record<string, { HostIp: string; HostPort: string }[] | null> {
  const map: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const key of exposed) map[portKey(key)] = null;
  for (const port of published) {
    const key = `${port.containerPort}/${port.protocol}`;
    map[key] = [...(map[key] ?? []), { HostIp: shownAddress(port), HostPort: String(port.hostPort) }];
  }
  return map;
}

/** The address that people reach a port at. */
export function shownAddress({
  hostAddress,
  byDefault,
}: Pick<PublishedPort, 'hostAddress' | 'byDefault'>): string {
  if (!byDefault) return hostAddress;
  return familyOf(hostAddress) === 6 ? '::1' : '127.0.0.1';
}

/** The kind of addresses that a port is published at. */
export function portFamily({ hostAddress }: PublishedPort): Family {
  return familyOf(hostAddress);
}

function hostAddress(text: string): string {
  if (parseAddress(text) === null) throw new InvalidParameter(`invalid host address "${text}" of a port`);
  return text;
}

function hostPorts(text: string): PortRequest['hostPorts'] {
  if (text === '' || text === '0') return null;
  const [firstText = '', lastText = firstText, ...rest] = text.split('-');
  const first = portNumber(firstText);
  const last = portNumber(lastText);
  if (first === null || last === null || first === 0 || last < first || rest.length > 0) {
    throw new InvalidParameter(`invalid hostPort: "${text}"`);
  }
  return { first, last };
}

function portNumber(text: string): number | null {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : null;
}

function isProtocol(text: string): text is PortProtocol {
  return (portProtocols as readonly string[]).includes(text);
}
