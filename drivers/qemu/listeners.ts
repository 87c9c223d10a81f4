import type { Listener } from './args.ts';
import { type Channel, socketPath } from './paths.ts';
import type { QemuState } from './state.ts';

/** Where the channels of a machine are: unix sockets only its owner can open; loopback ports on Windows. */
export function listenersOf(
  machineDirectory: string,
  { channelPorts, socketDirectory }: QemuState,
): Readonly<Record<Channel, Listener>> {
  const listener = (channel: Channel): Listener =>
    channelPorts === null
      ? { path: socketPath(socketDirectory ?? machineDirectory, channel) }
      : { port: channelPorts[channel] };
  return {
    qmp: listener('qmp'),
    agent: listener('agent'),
    power: listener('power'),
    watch: listener('watch'),
    files: listener('files'),
  };
}
