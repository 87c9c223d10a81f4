import { createHash } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { InvalidParameter } from './errors.ts';
import type { ResolverPlace } from './network/dns/machine-resolver.ts';
import { defaultNetworkOptions, type NetworkOptions } from './network/network-options.ts';
import { type EngineOptions, type MountType, type SharedDirectory, sshAgentSocket } from './wire/index.ts';

/** What one engine is told at its start; frozen afterwards. */
export interface EngineConfig extends EngineOptions {
  readonly dataRoot: string;
  readonly runRoot: string;
  /** Where container cgroups go, from each hierarchy's root; not shared with any other engine. */
  readonly cgroupParent: string;
  /** Runs in a VM of ours, which is all the engine's own: boot config, agent port, images to load. */
  readonly guest: boolean;
  /** Loads its code and then waits until the machine is what it is to be (agent/checkpoint.ts). */
  readonly checkpoint: boolean;
  readonly network: NetworkOptions;
  readonly listen: readonly Listen[];
  /** What the build cache may grow to, in bytes; 0 = no limit, null = a tenth of the disk. */
  readonly buildCacheLimitBytes: number | null;
  /** Where programs find the ssh-agent of the host in front (wire/ssh-agent.ts); null where the engine has no such host. */
  readonly sshAgentSocket: string | null;
  /** Of the host, in a machine of ours (boot config); null where the engine runs on the user's computer itself. */
  readonly directories: readonly SharedDirectory[] | null;
  readonly directoriesBy: MountType;
  readonly debug: boolean;
  /** Certificates (PEM) of authorities that registries may have, besides the well-known ones. */
  readonly authorities: readonly string[];
}

export type Listen =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tls'; readonly host: string; readonly port: number; readonly files: TlsFiles };

/** Paths of PEM files. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const flags = {
  guest: { type: 'boolean', default: false },
  checkpoint: { type: 'boolean', default: false },
  'data-root': { type: 'string', default: '/var/lib/machine/engine' },
  'run-root': { type: 'string', default: '/run/machine/engine' },
  host: { type: 'string', short: 'H', multiple: true },
  bridge: { type: 'string' },
  bip: { type: 'string' },
  'publish-through': { type: 'string' },
  'resolve-at': { type: 'string' },
  tlscacert: { type: 'string' },
  tlscert: { type: 'string' },
  tlskey: { type: 'string' },
  label: { type: 'string', multiple: true },
  'insecure-registry': { type: 'string', multiple: true },
  'registry-mirror': { type: 'string', multiple: true },
  'build-cache-limit': { type: 'string' },
  debug: { type: 'boolean', short: 'D', default: false },
} as const;

/** The flags of `engine`, named as dockerd names them. Throws InvalidParameter. */
export function parseConfig(args: readonly string[]): EngineConfig {
  const values = parseFlags(args);
  const dataRoot = resolve(values['data-root']);
  const runRoot = resolve(values['run-root']);
  // It stands in commands of the monitors' shells (runtime/monitor.ts).
  if (!/^[\w./@%+:=-]+$/.test(runRoot)) {
    throw new InvalidParameter(
      `invalid --run-root "${runRoot}"; it may hold letters, digits and ./@%+:=_- but no white space`,
    );
  }
  // On a host, several engines may live side by side.
  const name = shortHash(dataRoot);
  const tls = tlsFiles(values);
  const { label: labels = [], host: hosts = ['unix:///run/docker.sock'] } = values;
  for (const label of labels) {
    if (!label.includes('=')) throw new InvalidParameter(`invalid label "${label}"; expected name=value`);
  }
  return Object.freeze({
    dataRoot,
    runRoot,
    cgroupParent: values.guest ? 'machine' : `machine-${name}`,
    network: {
      ...defaultNetworkOptions,
      // A link's name holds 15 bytes.
      ...(values.guest ? {} : { bridgeName: `mb-${name}` }),
      ...(values.bridge === undefined ? {} : { bridgeName: values.bridge }),
      ...(values.bip === undefined ? {} : { bridgeSubnet: values.bip }),
      publishThrough: forwarder(values['publish-through']),
      resolverPlace: resolverPlace(values['resolve-at']),
    },
    guest: values.guest,
    checkpoint: values.checkpoint,
    listen: hosts.map((host) => parseHost(host, tls)),
    buildCacheLimitBytes: cacheLimit(values['build-cache-limit']),
    labels,
    insecureRegistries: (values['insecure-registry'] ?? []).map(insecureRegistry),
    registryMirrors: (values['registry-mirror'] ?? []).map(registryMirror),
    env: {},
    directories: null,
    directoriesBy: 'sftp',
    sshAgentSocket: values.guest ? sshAgentSocket : null,
    debug: values.debug,
    authorities: [],
  });
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, strict: true }).values;
  } catch (error) {
    throw new InvalidParameter((error as Error).message);
  }
}

/** Throws InvalidParameter. It stands in the packet filter's rules. */
function forwarder(text: string | undefined): string | null {
  if (text !== undefined && !isIPv4(text))
    throw new InvalidParameter(`invalid --publish-through "${text}"; expected an IPv4 address`);
  return text ?? null;
}

/** Throws InvalidParameter. `10.0.2.53,10.0.2.3`: at the first, asking the second while no host is connected. */
function resolverPlace(text: string | undefined): ResolverPlace | null {
  if (text === undefined) return null;
  const [address = '', otherwise = '', ...rest] = text.split(',');
  if (!isIPv4(address) || !isIPv4(otherwise) || rest.length > 0)
    throw new InvalidParameter(`invalid --resolve-at "${text}"; expected two IPv4 addresses, a,b`);
  return { address, otherwise };
}

/** Throws InvalidParameter. In bytes, or with a letter for powers of 1024. */
function cacheLimit(text: string | undefined): number | null {
  if (text === undefined) return null;
  const [, digits, unit = ''] = /^(\d{1,12})(?:([kmgt])b?)?$/i.exec(text) ?? [];
  if (!digits)
    throw new InvalidParameter(
      `invalid --build-cache-limit "${text}"; expected bytes, or such as 512m or 20g`,
    );
  return Number(digits) * 1024 ** (unit === '' ? 0 : 'kmgt'.indexOf(unit.toLowerCase()) + 1);
}

/** Throws InvalidParameter. A name with its port, or a range of addresses. */
function insecureRegistry(text: string): string {
  const [address = '', prefix, ...rest] = text.split('/');
  const isName = prefix === undefined && /^(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/.test(text);
  const bits = isIPv4(address) ? 32 : 128;
  const isRange =
    isIP(address) !== 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix ?? '') && Number(prefix) <= bits;
  if (!isName && !isRange)
    throw new InvalidParameter(
      `invalid --insecure-registry "${text}"; expected host[:port] or a range such as 10.0.0.0/8`,
    );
  return text;
}

/** Throws InvalidParameter. With a slash at its end, as dockerd shows it. */
function registryMirror(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isMirror =
    url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.hash;
  if (!isMirror || url.username || url.password)
    throw new InvalidParameter(
      `invalid --registry-mirror "${text}"; expected https://host[:port] without a path and without a password`,
    );
  return `${url.origin}/`;
}

function tlsFiles(values: { tlscacert?: string; tlscert?: string; tlskey?: string }): TlsFiles | null {
  const { tlscacert: ca, tlscert: cert, tlskey: key } = values;
  return ca && cert && key ? { ca: resolve(ca), cert: resolve(cert), key: resolve(key) } : null;
}

function parseHost(host: string, files: TlsFiles | null): Listen {
  if (host.startsWith('unix://')) return { kind: 'unix', path: resolve(host.slice('unix://'.length)) };
  const tcp = /^tcp:\/\/(?:\[(?<v6>[^\]]+)\]|(?<name>[^:/]*)):(?<port>\d{1,5})$/.exec(host)?.groups;
  if (!tcp || Number(tcp.port) > 65535) {
    throw new InvalidParameter(`invalid host "${host}"; expected unix:///path or tcp://address:port`);
  }
  if (!files) {
    throw new InvalidParameter(
      `"${host}" needs --tlscacert, --tlscert and --tlskey: the API is root's power and is never served without TLS`,
    );
  }
  return { kind: 'tls', host: tcp.v6 ?? (tcp.name || '0.0.0.0'), port: Number(tcp.port), files };
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
