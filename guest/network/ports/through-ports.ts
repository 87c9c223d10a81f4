import { anyPort } from './port-holder.ts';
import type { PublishedPort } from './ports.ts';

/** By which the host reaches the machine itself: SSH and the API. */
const machinePorts = [22, 2376];

/** One port of ours serves all of a container's that differ in their address only. */
export function throughKey({ protocol, hostPort, containerPort }: PublishedPort): string {
  return `${protocol} ${hostPort} ${containerPort}`;
}

/**
 * Which port of this host's own address the host in front uses for each: its own number if that can be, since ports
 * of different addresses may be the same. By {@link throughKey}; what was chosen `before` stays.
 */
export function chooseThroughPorts(
  ports: readonly PublishedPort[],
  {
    before,
    others,
  }: {
    readonly before: ReadonlyMap<string, number>;
    /** Of other containers. */
    readonly others: readonly ReadonlyMap<string, number>[];
  },
): Map<string, number> {
  const chosen = new Map<string, number>();
  const taken = new Set(
    others.flatMap((other) => [...other].map(([key, port]) => `${protocolOf(key)} ${port}`)),
  );
  const take = (key: string, port: number) => {
    chosen.set(key, port);
    taken.add(`${protocolOf(key)} ${port}`);
  };
  for (const port of ports) {
    const was = before.get(throughKey(port));
    if (was !== undefined) take(throughKey(port), was);
  }
  for (const port of ports) {
    const key = throughKey(port);
    if (chosen.has(key)) continue;
    const isTaken = (number: number) =>
      machinePorts.includes(number) || taken.has(`${port.protocol} ${number}`);
    let number = port.hostPort;
    for (let next = anyPort.first; isTaken(number); next++) number = next;
    take(key, number);
  }
  return chosen;
}

function protocolOf(key: string): string {
  return key.slice(0, key.indexOf(' '));
}
