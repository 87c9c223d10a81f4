import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Internal, InvalidParameter } from '../errors.ts';
import type { PortRequest, PublishedPort } from './ports.ts';

/**
 * Owns the host's ports while they are published. The kernel's rules carry the traffic; the socket that is
 * bound here never sees a byte. It is there so that no other program gets the port, and so that one which
 * has it already is found out.
 */
export interface PortHolder {
  /**
   * Takes a port, or the first free one of the range. Throws Internal with dockerd's sentences when it is
   * taken, and InvalidParameter when the address is not this host's.
   */
  hold(request: PortRequest): Promise<HeldPort>;
}

export interface HeldPort {
  readonly port: PublishedPort;
  /** Idempotent; resolves when the port can be taken again. */
  release(): Promise<void>;
}

/** Where ports come from when none is asked for: Linux's own range of ephemeral ports begins here too. */
const anyPort = { first: 32768, last: 60999 };

export function createPortHolder(): PortHolder {
  const held = new Set<string>();
  let lastAny = anyPort.last;

  async function tryHold(request: PortRequest, hostPort: number): Promise<HeldPort | Taken> {
    const key = `${request.protocol} ${request.hostAddress} ${hostPort}`;
    const anywhere = `${request.protocol} 0.0.0.0 ${hostPort}`;
    if (held.has(key) || held.has(anywhere)) return 'ours';
    held.add(key);
    try {
      const close = await bind(request, hostPort);
      const { hostAddress, containerPort, protocol } = request;
      let released: Promise<void> | null = null;
      const release = () => {
        released ??= close().then(() => void held.delete(key));
        return released;
      };
      return { port: { hostAddress, hostPort, containerPort, protocol }, release };
    } catch (error) {
      held.delete(key);
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EADDRINUSE') {
        return [...held].some((other) => isSamePort(other, request, hostPort)) ? 'ours' : 'foreign';
      }
      if (code === 'EADDRNOTAVAIL') {
        throw new InvalidParameter(
          `failed to bind host port for ${request.hostAddress}:${hostPort}/${request.protocol}: cannot assign requested address; it is no address of this host`,
        );
      }
      throw new Internal(`cannot take port ${hostPort}/${request.protocol} of ${request.hostAddress}`, {
        cause: error,
      });
    }
  }

  return {
    hold: async (request) => {
      const { first, last } = request.hostPorts ?? anyPort;
      const start = request.hostPorts ? first : lastAny + 1;
      let outcome: HeldPort | Taken = 'ours';
      for (let i = 0; i <= last - first; i++) {
        const hostPort = first + ((start - first + i) % (last - first + 1));
        if (!request.hostPorts) lastAny = hostPort;
        outcome = await tryHold(request, hostPort);
        if (typeof outcome !== 'string') return outcome;
      }
      throw new Internal(takenMessage(request, outcome === 'ours'));
    },
  };
}

type Taken = 'ours' | 'foreign';

function takenMessage(request: PortRequest, ours: boolean): string {
  const { hostPorts, hostAddress, protocol } = request;
  if (!hostPorts || hostPorts.first !== hostPorts.last) return 'all ports are allocated';
  if (ours) return `Bind for ${hostAddress}:${hostPorts.first} failed: port is already allocated`;
  return `failed to bind host port for ${hostAddress}:${hostPorts.first}/${protocol}: address already in use`;
}

function isSamePort(key: string, request: PortRequest, hostPort: number): boolean {
  const [protocol, , port] = key.split(' ');
  return protocol === request.protocol && port === String(hostPort);
}

/** Resolves with the function that frees the port again. */
async function bind(request: PortRequest, port: number): Promise<() => Promise<void>> {
  if (request.protocol === 'udp') {
    const socket = createSocket('udp4');
    socket.bind({ address: request.hostAddress, port, exclusive: true });
    await once(socket, 'listening');
    socket.unref();
    return async () => {
      socket.close();
      await once(socket, 'close');
    };
  }
  // Whoever still gets here came round the rules (they are being replaced): better refused than hanging.
  const server = createServer((connection) => connection.destroy());
  server.listen({ host: request.hostAddress, port, exclusive: true });
  await once(server, 'listening');
  server.unref();
  return async () => {
    server.close();
    await once(server, 'close');
  };
}
