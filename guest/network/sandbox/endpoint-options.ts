import { InvalidParameter } from '../../errors.ts';

/** What `--network name=…,driver-opt=…` asks of a container's link. */
export interface EndpointOptions {
  /** Null: the network's prefix and the next number. */
  readonly interfaceName: string | null;
  /** Below /proc/sys/net; `IFNAME` stands for the link's name. */
  readonly sysctls: readonly { readonly name: string; readonly value: string }[];
}

const prefix = 'com.docker.network.endpoint';

/** Options of others are theirs, as with dockerd: kept, and shown. Throws InvalidParameter for a wrong value. */
export function endpointOptions(
  options: Readonly<Record<string, string>> | null | undefined,
): EndpointOptions {
  const { [`${prefix}.ifname`]: name, [`${prefix}.sysctls`]: sysctls } = options ?? {};
  if (name !== undefined && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/.test(name))
    throw new InvalidParameter(`invalid interface name "${name}"`);
  return {
    interfaceName: name ?? null,
    sysctls: sysctls ? sysctls.split(',').map(parseSysctl) : [],
  };
}

/** `net.ipv4.conf.IFNAME.log_martians=1`; only such as belong to the link. */
function parseSysctl(text: string): EndpointOptions['sysctls'][number] {
  const found = /^net\.((?:ipv4|ipv6|mpls)\.(?:conf|neigh|input)\.IFNAME\.[a-z0-9_]+)=([\w.-]+)$/.exec(text);
  if (!found)
    throw new InvalidParameter(
      `invalid sysctl "${text}" of an endpoint; expected net.ipv4.conf.IFNAME.name=value`,
    );
  return { name: found[1]!.replaceAll('.', '/'), value: found[2]! };
}
