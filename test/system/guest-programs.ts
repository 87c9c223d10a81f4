import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';

/** A command of the docker CLI that must succeed; what it printed, trimmed. */
export type Docker = (...args: string[]) => Promise<string>;

/** A program for Node of the guest, which every container of a machine can be given. */
export const inNode = (script: string) =>
  ['-v', '/:/guest:ro', 'busybox', 'chroot', '/guest', '/usr/bin/node', '-e', script] as const;

/** Resolves when the container has said `up`. */
export async function untilUp(t: Test, docker: Docker, name: string): Promise<void> {
  await eventually(t, async () => (await docker('logs', name)).includes('up'));
}

/** Waits a minute at most. */
export async function eventually(t: Test, condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await condition()) return;
    await delay(200);
  }
  t.fail('it did not come true within a minute');
}
