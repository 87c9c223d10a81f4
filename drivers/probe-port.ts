import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Forward, PortUnavailable } from './port-forwarder.ts';

/**
 * Listens there for a moment. Others' tools do not say why they could not, and for UDP they do not even notice: QEMU
 * shares a port with whoever shares it too. Throws PortUnavailable.
 */
export async function probePort(forward: Forward): Promise<void> {
  const { protocol, hostAddress: host, hostPort: port } = forward;
  const ipv6Only = host.includes(':');
  try {
    if (protocol === 'udp') {
      const socket = createSocket({ type: ipv6Only ? 'udp6' : 'udp4', ipv6Only });
      socket.bind({ address: host, port, exclusive: true });
      await once(socket, 'listening');
      socket.close();
      await once(socket, 'close');
    } else {
      const server = createServer().listen({ host, port, exclusive: true, ipv6Only });
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new PortUnavailable(forward, code);
  }
}
