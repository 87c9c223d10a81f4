import { dirname } from 'node:path';
import type { Forward } from '../../../drivers/port-forwarder.ts';
import { type Machine, openMachine } from '../../machine.ts';
import { MachineStore } from '../../machine-store.ts';
import { storePaths } from '../../paths.ts';
import { livingSupervisor } from '../state.ts';
import type { MachineUse, Taker } from './failure.ts';
import { meet } from './inner-places.ts';
import { findHolder, type Holder } from './listeners.ts';

/** Who has a port that `machine` was to forward. Never throws. */
export async function findTaker(forward: Forward, machine: Machine): Promise<Taker> {
  const own = machine.record.Name;
  const holder = await findHolder(forward).catch(() => null);
  if (holder?.pid === process.pid) return { machine: own, own: true, use: await useOf(forward, machine) };
  const store = new MachineStore(storePaths(dirname(dirname(machine.paths.directory))));
  for (const name of await store.names().catch(() => [])) {
    const other = await openMachine(store, name).catch(() => null);
    if (other === null) continue;
    const use = await useOf(forward, other);
    // A machine's own ports are in its record, which tells them on every system.
    if (holder === null ? use !== null : await isOf(holder, other))
      return { machine: name, own: name === own, use };
  }
  return holder;
}

/** Whether a process is what runs the machine, or supervises it. */
async function isOf({ pid }: Holder, { driver, handle, paths }: Machine): Promise<boolean> {
  if ((await livingSupervisor(paths).catch(() => null))?.pid === pid) return true;
  const status = await driver.status(handle).catch(() => null);
  return status !== null && 'pid' in status && status.pid === pid;
}

/** What a machine that runs is itself reached by at this port of this computer. */
async function useOf(forward: Forward, { driver, handle }: Machine): Promise<MachineUse | null> {
  const endpoints = driver.features.local ? await driver.endpoints(handle).catch(() => null) : null;
  if (endpoints === null) return null;
  const { url, ssh } = endpoints;
  const isThere = (hostAddress: string, hostPort: number) =>
    meet(forward, { protocol: 'tcp', hostAddress, hostPort });
  const { hostname, port } = new URL(url);
  if (isThere(hostname, Number(port))) return 'Docker API';
  return ssh && isThere(ssh.host, ssh.port) ? 'SSH server' : null;
}
