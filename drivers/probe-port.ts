import { once } from 'node:events';
import { type Forward, PortUnavailable } from './port-forwarder.ts';

/**
 * Listens there for a moment. Others' tools do not say why they could not, and for UDP they do not even notice: QEMU
 * shares a port with whoever shares it too. Throws PortUnavailable.
 */
export async function probePort(forward: Forward): Promise<void> {
  // Loaded here: the driver, which `machine env` needs too, is timed in milliseconds.
  const [{ createSocket }, { createServer }] = [
    process.getBuiltinModule('node:dgram'),
    process.getBuiltinModule('node:net'),
  ];
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
