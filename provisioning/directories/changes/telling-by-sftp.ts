import type { Machine } from '../../machine.ts';
import { noticesOf } from './notices.ts';
import { ownChangesOf } from './own-changes.ts';
import type { Telling } from './telling.ts';

/** Touches and moves that the SFTP server of the same supervisor does nothing about (decision 19). */
export function tellingBySftp(machine: Machine, hostPath: (path: string) => Buffer | null): Telling {
  const own = ownChangesOf(machine);
  const notices = noticesOf(machine);
  return {
    isOwn: (path) => own.has(path),
    async take(pending, serial) {
      const { collapsed, departed, arrived, ...changes } = await pending.take(hostPath);
      notices.offer(serial, departed, arrived);
      return {
        collapsed,
        changes: {
          serial,
          ...changes,
          departed: departed.map(({ path }) => path),
          arrived: arrived.map(({ path }) => path),
        },
      };
    },
    told: (serial) => notices.offer(serial, [], []),
    restMs: () => 0,
  };
}
