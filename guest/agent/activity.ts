import { readFileSync, writeFileSync } from 'node:fs';
import type { Engine } from '../engine.ts';
import type { Logger } from '../log.ts';
import type { ActivityQuestion, ActivityReading } from '../wire/index.ts';

const sshPort = 22;
/** TCP_ESTABLISHED (include/net/tcp_states.h), as /proc/net/tcp has it. */
const established = '01';

/** Whether a whole machine is idle: its engine, and nobody is logged in. */
export function activity(
  engine: Pick<Engine, 'idleMs'>,
  { rest }: ActivityQuestion,
  log: Logger,
): ActivityReading {
  const tables = ['tcp', 'tcp6'].map((name) => read(`/proc/net/${name}`));
  const idleMs = tables.some((table) => isConnected(table, sshPort)) ? 0 : Math.round(engine.idleMs());
  if (rest) giveUpCaches(log);
  return { type: 'activity', version: 1, idleMs };
}

/** proc_pid_net(5): local address and port in hex, state in the fourth column. */
export function isConnected(table: string, port: number): boolean {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some(([, local, , state]) => local?.endsWith(end) && state === established);
}

/** Pages, names and attributes of files (Documentation/admin-guide/sysctl/vm.rst); the balloon tells the host. */
function giveUpCaches(log: Logger): void {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  } catch (error) {
    log.warn({ error }, 'caches were not given up');
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
