import type { Forward, PortUnavailable } from '../../../drivers/port-forwarder.ts';
import type { PortFailure } from '../../../guest/wire/index.ts';
import type { FailedForward } from './forward-table.ts';
import type { Holder } from './listeners.ts';

/** What a machine needs a port of this computer for by itself. */
export type MachineUse = 'Docker API' | 'SSH server';

/** Who has a port that was wanted: a machine, or another program; null when that cannot be known. */
export type Taker = TakingMachine | Holder | null;

interface TakingMachine {
  readonly machine: string;
  /** It is the machine whose container asks. */
  readonly own: boolean;
  /** Null: one of its containers publishes it. */
  readonly use: MachineUse | null;
}

/** What the engine, and so `docker run`, says of a port that this computer does not have. Begins as dockerd does. */
export function portFailure({ forward, error }: FailedForward, taker: Taker): PortFailure {
  const { protocol, hostAddress, hostPort } = forward;
  const taken = error.code === 'EADDRINUSE';
  return { protocol, hostAddress, hostPort, taken, message: messageOf(forward, error, taker) };
}

function messageOf(forward: Forward, { code }: PortUnavailable, taker: Taker): string {
  const { protocol, hostAddress, hostPort } = forward;
  const place = `${hostAddress.includes(':') ? `[${hostAddress}]` : hostAddress}:${hostPort}`;
  const failed = `failed to bind host port for ${place}/${protocol}`;
  switch (code) {
    case 'EADDRINUSE':
      if (taker !== null && 'machine' in taker)
        return `Bind for ${place} failed: port is already allocated (${takenBy(taker)})`;
      return `${failed}: address already in use (${taker ? `${taker.name}, process ${taker.pid}` : 'another program'} of this computer has it)`;
    case 'EACCES':
    case 'EPERM':
      return `${failed}: permission denied; this computer gives ports below 1024 to administrators only: publish a higher one${forLinux(hostPort)}`;
    case 'EADDRNOTAVAIL':
      return `${failed}: cannot assign requested address; this computer has no address ${hostAddress}`;
    case 'EAFNOSUPPORT':
      return `${failed}: address family not supported; this computer has no ${hostAddress.includes(':') ? 'IPv6' : 'IPv4'}`;
    default:
      return `${failed}: ${code}`;
  }
}

/** With what to do about it. */
function takenBy({ machine, own, use }: TakingMachine): string {
  if (use === null) return `by machine "${machine}" of this computer`;
  const theirs = `the ${use} of machine "${machine}" is there: publish another port`;
  return own
    ? theirs
    : `${theirs}, or free this one with machine stop ${machine}, whose next start takes another`;
}

function forLinux(port: number): string {
  return process.platform === 'linux'
    ? `, or allow it to all with sysctl net.ipv4.ip_unprivileged_port_start=${port}`
    : '';
}
