import { setTimeout as delay } from 'node:timers/promises';
import { Unavailable } from '../errors.ts';
import type { Suspender } from '../suspender.ts';
import { parseUserNetwork } from './host-forwards.ts';
import type { MonitorLease } from './monitors.ts';

const address = '127.0.0.1';
/** For the guest to have done what it was last asked, so that its processors wait when they are stopped. */
const untilIdleMs = 100;
/** With an idle guest, one stop in fifty leaves QEMU restless. */
const mostTries = 5;

/**
 * QMP's `stop` and `cont`: memory stays, and takes no processor time. The main loop of QEMU goes on, so forwards can be
 * changed meanwhile.
 *
 * @param own port of this computer to port of the guest, as args.ts gives them to QEMU
 * @param rests whether QEMU's main loop does (wakeups.ts)
 */
export function qemuSuspender(
  monitor: MonitorLease,
  own: ReadonlyMap<number, number>,
  rests: () => Promise<boolean>,
): Suspender {
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
      for (let tries = 1; ; tries++) {
        await delay(untilIdleMs);
        await client.execute('stop');
        if ((await rests()) || tries === mostTries) return;
        await client.execute('cont');
      }
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
