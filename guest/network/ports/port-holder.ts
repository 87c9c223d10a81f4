import { Internal, InvalidParameter } from '../../errors.ts';
import { bracketed, familyOf, isUnspecified } from '../../ip.ts';
import { bindPort } from './port-socket.ts';
import { type PortRequest, type PublishedPort, shownAddress } from './ports.ts';
import type { RelayTarget } from './relay.ts';

/**
 * Owns the host's ports while they are published, so that no other program gets one, and so that one which
 * has it already is found out.
 */
export interface PortHolder {
  /**
   * Takes a port, or the first free one of the range, of all addresses asked for; none of those that are taken
   * elsewhere, whose reasons are given. Throws Internal with dockerd's sentences when it is taken, for a range with the
   * reason of its first port, and InvalidParameter when an address is not this host's.
   */
  hold(request: PortRequest, takenElsewhere?: ReadonlyMap<number, string>): Promise<HeldPort[]>;
}

export interface HeldPort {
  readonly port: PublishedPort;
  /** Where connections go that the kernel's rules do not carry. */
  lead(target: RelayTarget | null): void;
  /** Idempotent; resolves when the port can be taken again. */
  release(): Promise<void>;
}

/** Where ports come from when none is asked for: Linux's own range of ephemeral ports begins here too. */
export const anyPort = { first: 32768, last: 60999 };

type Taken = { readonly by: 'us' | 'others'; readonly address: string };

/** `forwarded`: an address that is none of this host's is one of the host before it, which forwards to it. */
export function createPortHolder({ forwarded = false } = {}): PortHolder {
  const held = new Set<string>();
  let lastAny = anyPort.last;

  async function tryHold(port: PublishedPort): Promise<HeldPort | Taken> {
    const { hostAddress, hostPort, protocol } = port;
    const key = `${protocol} ${hostPort} ${hostAddress}`;
    const anywhere = `${protocol} ${hostPort} ${familyOf(hostAddress) === 6 ? '::' : '0.0.0.0'}`;
    const taken = (by: Taken['by']) => ({ by, address: shownAddress(port) });
    if (held.has(key) || held.has(anywhere)) return taken('us');
    const neighbours = [...held].filter((other) => isNeighbour(other, port));
    if (isUnspecified(hostAddress) && neighbours.length > 0) return taken('us');
    held.add(key);
    let target: RelayTarget | null = null;
    try {
      const close = await bindPort(port, () => target).catch((error: NodeJS.ErrnoException) => {
        if (forwarded && error.code === 'EADDRNOTAVAIL') return async () => {};
        throw error;
      });
      let released: Promise<void> | null = null;
      const release = () => {
        released ??= close().then(() => void held.delete(key));
        return released;
      };
      const lead = (to: RelayTarget | null) => {
        target = to;
      };
      return { port, lead, release };
    } catch (error) {
      held.delete(key);
      if (error instanceof InvalidParameter) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE') return taken('others');
      if (code === 'EADDRNOTAVAIL') {
        throw new InvalidParameter(
          `failed to bind host port for ${bracketed(hostAddress)}:${hostPort}/${protocol}: cannot assign requested address; it is no address of this host`,
        );
      }
      throw new Internal(`cannot take port ${hostPort}/${protocol} of ${hostAddress}`, { cause: error });
    }
  }

  /** All of them or none. */
  async function tryHoldAll(request: PortRequest, hostPort: number): Promise<HeldPort[] | Taken> {
    const { hostAddresses, hostPorts: _, ...port } = request;
    const ports: HeldPort[] = [];
    const undo = () => Promise.all(ports.map((held) => held.release()));
    try {
      for (const hostAddress of hostAddresses) {
        const outcome = await tryHold({ ...port, hostAddress, hostPort });
        if ('by' in outcome) {
          await undo();
          return outcome;
        }
        ports.push(outcome);
      }
      return ports;
    } catch (error) {
      await undo();
      throw error;
    }
  }

  return {
    hold: async (request, takenElsewhere) => {
      const { first, last } = request.hostPorts ?? anyPort;
      const start = request.hostPorts ? first : lastAny + 1;
      let reason: string | undefined;
      for (let i = 0; i <= last - first; i++) {
        const hostPort = first + ((start - first + i) % (last - first + 1));
        if (!request.hostPorts) lastAny = hostPort;
        const elsewhere = takenElsewhere?.get(hostPort);
        const outcome = elsewhere === undefined ? await tryHoldAll(request, hostPort) : null;
        if (outcome && !('by' in outcome)) return outcome;
        reason ??= outcome ? takenMessage({ ...request, ...outcome, hostPort }) : elsewhere;
      }
      throw new Internal(allTakenMessage(request, reason));
    },
  };
}

function takenMessage({
  by,
  address,
  hostPort,
  protocol,
}: Taken & Pick<PublishedPort, 'hostPort' | 'protocol'>) {
  const place = `${bracketed(address)}:${hostPort}`;
  return by === 'us'
    ? `Bind for ${place} failed: port is already allocated`
    : `failed to bind host port for ${place}/${protocol}: address already in use`;
}

function allTakenMessage({ hostPorts }: PortRequest, first = ''): string {
  if (!hostPorts) return 'all ports are allocated';
  return hostPorts.first === hostPorts.last
    ? first
    : `all ports are allocated, of ${hostPorts.first}-${hostPorts.last} the first: ${first}`;
}

/** The same port of another address of the same kind. */
function isNeighbour(key: string, { protocol, hostPort, hostAddress }: PublishedPort): boolean {
  const [ofProtocol, port, address] = key.split(' ');
  return ofProtocol === protocol && port === String(hostPort) && familyOf(address!) === familyOf(hostAddress);
}
