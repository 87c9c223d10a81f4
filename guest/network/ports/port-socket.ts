import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { InvalidParameter } from '../../errors.ts';
import { tryRun } from '../../host/exec.ts';
import { familyOf } from '../../ip.ts';
import type { PublishedPort } from './ports.ts';
import { type RelayTarget, relayConnection, relayDatagrams } from './relay.ts';

/**
 * Binds a port of the host, and resolves with the function that frees it again. The kernel's rules carry
 * the traffic; what gets here came round them, and is relayed to `target`, or refused when there is none.
 * Throws the system's error. SCTP has no sockets in Node: only the engine's own ports are told apart.
 */
export async function bindPort(
  { hostAddress, hostPort, protocol }: PublishedPort,
  target: () => RelayTarget | null,
): Promise<() => Promise<void>> {
  if (protocol === 'sctp') {
    sctp ??= loadSctp();
    await sctp;
    return async () => {};
  }
  const ipv6Only = familyOf(hostAddress) === 6;
  if (protocol === 'udp') {
    const socket = createSocket({ type: ipv6Only ? 'udp6' : 'udp4', ipv6Only });
    socket.bind({ address: hostAddress, port: hostPort, exclusive: true });
    await once(socket, 'listening');
    socket.on('error', () => {}).unref();
    relayDatagrams(socket, target);
    return async () => {
      socket.close();
      await once(socket, 'close');
    };
  }
  const connections = new Set<{ destroy(): void }>();
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    const to = target();
    if (!to) return void connection.destroy();
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
    relayConnection(connection, to);
  });
  server.listen({ host: hostAddress, port: hostPort, exclusive: true, ipv6Only });
  await once(server, 'listening');
  server.unref();
  return async () => {
    server.close();
    for (const connection of connections) connection.destroy();
    await once(server, 'close');
  };
}

let sctp: Promise<void> | null = null;

/** Throws InvalidParameter when the kernel has no SCTP. */
async function loadSctp(): Promise<void> {
  await tryRun('modprobe', ['-q', 'sctp']).catch(() => {});
  if (!existsSync('/proc/net/sctp'))
    throw new InvalidParameter('SCTP ports cannot be published: the kernel of this host has no SCTP');
}

/** Whether this host has IPv6 at all, and so addresses that a port can be published at. */
export function hostHasIpv6(): boolean {
  try {
    return readFileSync('/proc/net/if_inet6', 'utf8') !== '';
  } catch {
    return false;
  }
}
