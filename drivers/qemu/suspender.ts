import { Unavailable } from '../errors.ts';
import type { Suspender } from '../suspender.ts';
import { parseUserNetwork } from './host-forwards.ts';
import type { MonitorLease } from './monitors.ts';

const address = '127.0.0.1';

/**
 * QMP's `stop` and `cont`: memory stays, and takes no processor time. The main loop of QEMU goes on, so forwards can be
 * changed meanwhile.
 *
 * @param own port of this computer to port of the guest, as args.ts gives them to QEMU
 */
export function qemuSuspender(monitor: MonitorLease, own: ReadonlyMap<number, number>): Suspender {
  const { client } = monitor;
  const say = async (line: string) =>
    String(await client.execute('human-monitor-command', { 'command-line': line })).trim();
  const held = async () =>
    parseUserNetwork(await say('info usernet'))
      .filter(({ protocol, hostAddress }) => protocol === 'tcp' && hostAddress === address)
      .map(({ hostPort }) => hostPort);
  let hasLetGo = false;
  return {
    ports: [...own.keys()],
    async letGo() {
      hasLetGo = true;
      for (const port of own.keys()) await say(`hostfwd_remove net tcp:${address}:${port}`);
    },
    async pause() {
      await client.execute('stop');
    },
    async resume() {
      await client.execute('cont');
    },
    async takeBack() {
      const there = hasLetGo ? [] : await held();
      for (const [port, guestPort] of own) {
        if (there.includes(port)) continue;
        const answer = await say(`hostfwd_add net tcp:${address}:${port}-:${guestPort}`);
        if (answer !== '') throw new Unavailable(`QEMU does not forward port ${port}: ${answer}`);
      }
      hasLetGo = false;
    },
    [Symbol.asyncDispose]: () => monitor[Symbol.asyncDispose](),
  };
}
