import { Usage } from './errors.ts';

export interface PortBinding {
  readonly HostIp: string;
  readonly HostPort: string;
}

const form =
  /^(?:(?:\[([0-9a-fA-F:]+)\]|([^:]*)):)??(?:(\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)(?:\/(tcp|udp|sctp))?$/;

/**
 * `[[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]`, both sides may be ranges of the same length; by container port.
 * Throws Usage.
 */
export function publishedPorts(specs: readonly string[]): Record<string, PortBinding[]> {
  const ports: Record<string, PortBinding[]> = {};
  for (const spec of specs) {
    const match = form.exec(spec);
    if (!match) throw new Usage(`invalid port "${spec}"; expected [[ADDRESS:]HOST:]CONTAINER[/PROTOCOL]`);
    const [, ipv6, ipv4 = '', host = '', container = '', protocol = 'tcp'] = match;
    const inside = range(container, spec);
    const outside = host === '' ? null : range(host, spec);
    // A single container port takes any free one of a range of the host's.
    const spread = outside !== null && inside.length > 1;
    if (spread && outside.length !== inside.length) {
      throw new Usage(`invalid port "${spec}"; the two ranges are not of the same length`);
    }
    inside.forEach((port, i) => {
      const key = `${port}/${protocol}`;
      const binding = { HostIp: ipv6 ?? ipv4, HostPort: spread ? String(outside[i]) : host };
      ports[key] = [...(ports[key] ?? []), binding];
    });
  }
  return ports;
}

function range(text: string, spec: string): number[] {
  const [first = 0, last = first] = text.split('-').map(Number);
  if (first < 1 || last > 65535 || last < first)
    throw new Usage(`invalid port "${spec}"; ports are 1 to 65535`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
