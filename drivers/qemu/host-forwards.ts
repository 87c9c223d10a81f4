import { FailedPrecondition } from '../errors.ts';
import { type Forward, type PortForwarder, PortUnavailable } from '../port-forwarder.ts';
import { probePort } from '../probe-port.ts';
import type { MonitorLease } from './monitors.ts';

/** Of the user network that a VM is started with (args.ts). */
const netdev = 'net';

/**
 * The forwards of QEMU's user network. QMP has no words for them, so they are made by those for people (`hostfwd_add`,
 * QEMU's hmp-commands.hx), whose answers are sentences: nothing when it went well, which every version until now keeps
 * to. IPv4 only: a colon ends an address there.
 *
 * @param own ports of the loopback that lead to the machine itself
 */
export function hostForwards(monitor: MonitorLease, own: readonly number[]): PortForwarder {
  const say = async (line: string) =>
    String(await monitor.client.execute('human-monitor-command', { 'command-line': line }));
  return {
    ipv6: false,
    // libslirp lets two wait to be accepted, and the kernel drops the others until they try again.
    bursts: false,
    list: async () =>
      parseUserNetwork(await say('info usernet')).filter(
        ({ protocol, hostAddress, hostPort }) =>
          !(protocol === 'tcp' && hostAddress === '127.0.0.1' && own.includes(hostPort)),
      ),
    add: async (forward) => {
      await probePort(forward);
      const answer = (await say(`hostfwd_add ${netdev} ${placeOf(forward)}-:${forward.guestPort}`)).trim();
      if (answer === '') return;
      // Somebody took it since.
      if (/could not set up/i.test(answer)) throw new PortUnavailable(forward, 'EADDRINUSE');
      throw new FailedPrecondition(`QEMU does not forward ${placeOf(forward)}: ${answer}`);
    },
    remove: async (forward) => {
      const answer = (await say(`hostfwd_remove ${netdev} ${placeOf(forward)}`)).trim();
      if (!/ (removed|not found)$/.test(answer))
        throw new FailedPrecondition(`QEMU does not end its forward of ${placeOf(forward)}: ${answer}`);
    },
    [Symbol.asyncDispose]: () => monitor[Symbol.asyncDispose](),
  };
}

/** Of the text of `info usernet`: a line a socket, `*` for every address. */
export function parseUserNetwork(text: string): Forward[] {
  const line = /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+-?\d+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)\s/gm;
  return [...text.matchAll(line)].map(([, protocol, address, hostPort, guestPort]) => ({
    protocol: protocol === 'UDP' ? 'udp' : 'tcp',
    hostAddress: address === '*' ? '0.0.0.0' : address!,
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  }));
}

function placeOf({ protocol, hostAddress, hostPort }: Forward): string {
  return `${protocol}:${hostAddress}:${hostPort}`;
}
