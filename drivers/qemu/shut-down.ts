import { FailedPrecondition } from '../errors.ts';
import { type ProcessIdentity, whenGone } from '../process-identity.ts';
import type { Listener } from './args.ts';
import { connectChannel } from './line-channel.ts';
import { abortError } from './process.ts';
import { QmpClient } from './qmp.ts';

/**
 * Asks the guest to power off (guest/boot/root/usr/lib/machine/power) and waits until QEMU is gone. A paused
 * guest is let run first. A guest that still boots gets the word when it listens.
 */
export async function shutDown({
  qmp,
  power,
  qemu,
  signal,
}: {
  readonly qmp: Listener;
  readonly power: Listener;
  readonly qemu: ProcessIdentity;
  readonly signal: AbortSignal;
}): Promise<void> {
  try {
    await using client = await QmpClient.connect(qmp, { signal, once: true });
    await client.execute('set-action', { reboot: 'shutdown' });
    await client.execute('cont');
    const socket = await connectChannel(power, { signal, once: true });
    socket.on('error', () => {});
    const abort = () => socket.destroy();
    signal.addEventListener('abort', abort, { once: true });
    socket.write('shutdown\n');
    // QEMU holds its end until it is gone; so do we, since what is written waits in the socket.
    socket.resume();
    await Promise.race([client.closed, new Promise((resolve) => socket.once('close', resolve))]);
    signal.removeEventListener('abort', abort);
    socket.destroy();
  } catch (error) {
    if (signal.aborted) throw abortError(signal, 'shutting down');
    // QEMU may have ended on its own meanwhile.
    if (!(await whenGone(qemu, AbortSignal.timeout(1000))))
      throw new FailedPrecondition('QEMU does not take the wish to shut down; kill the machine', {
        cause: error,
      });
  }
  if (!(await whenGone(qemu, signal))) throw abortError(signal, 'shutting down');
}
