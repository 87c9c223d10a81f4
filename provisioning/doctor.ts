import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { daysLeft, renewalDays } from './certs/expiry.ts';
import { contextOwner } from './docker-context/context.ts';
import { currentContext } from './docker-context/current.ts';
import { contextName, dockerConfig } from './docker-context/files.ts';
import type { Machine } from './machine.ts';
import type { MachineRecord } from './machine-record.ts';
import type { MachineStore } from './machine-store.ts';
import { machineStatus } from './status.ts';
import { apiSocketOf } from './supervisor/socket/path.ts';
import { livingSupervisor, type SupervisorState } from './supervisor/state.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found; when it is not well, what to type. */
  readonly detail: string;
}

/** What a clock may be off by; more breaks signatures and builds that compare times. */
const clockToleranceMs = 100;
/** For what comes up after `machine start` has returned, and is no problem yet. */
const comingUpMs = 10_000;

/** Checks a machine and what connects this computer to it. Never throws for what is wrong with the machine. */
export async function examine(store: MachineStore, machine: Machine): Promise<readonly Check[]> {
  const { record, driver } = machine;
  const { state, errors } = await machineStatus(store, machine);
  const isOn = state === 'Running';
  const help = state === 'Stopped' ? `machine start ${record.Name} starts it` : errors.join('; ');
  const sleeps = state === 'Paused' && record.SuspendAfterMs !== null;
  const power = {
    name: 'machine',
    ok: isOn || sleeps,
    detail: sleeps ? 'suspended until somebody connects' : isOn || help === '' ? state : `${state}: ${help}`,
  };
  if (driver.whenOff === undefined) return [power, ...(await certificates(machine))];
  return [
    power,
    ...(isOn ? [...(await supervisor(machine)), ...directories(record), ...(await engine(machine))] : []),
    await context(store, machine),
    ...(await certificates(machine)),
  ];
}

async function supervisor({ paths, record }: Machine): Promise<Check[]> {
  const state = await settledSupervisor(paths);
  const log = `see ${paths.supervisorLog}`;
  if (state === null) {
    const detail = `not running; machine env ${record.Name} starts it again, else ${log}`;
    return [{ name: 'supervisor', ok: false, detail }];
  }
  return [
    { name: 'supervisor', ok: true, detail: `process ${state.pid}` },
    ...Object.entries(state.services).map(([service, { ready, error }]) => ({
      name: `service ${service}`,
      ok: ready,
      detail: ready ? 'ready' : `${error ?? 'not ready yet'}; ${log}`,
    })),
  ];
}

/** As it is when no service is still coming up for the first time. */
async function settledSupervisor(paths: Machine['paths']): Promise<SupervisorState | null> {
  const deadline = Date.now() + comingUpMs;
  for (;;) {
    const state = await livingSupervisor(paths);
    const isSettled = Object.values(state?.services ?? {}).every(
      ({ ready, error }) => ready || error !== null,
    );
    if (isSettled || Date.now() >= deadline) return state;
    await delay(100);
  }
}

/** How they get there, and what that does without. */
export function directories({ Name, Mounts, MountType }: MachineRecord): Check[] {
  if (Mounts.length === 0) return [];
  const less = `; programs in containers hear of changes that are made here as of changed attributes: machine restart --mount-type sftp ${Name} for those that heed no such`;
  const detail = `${Mounts.length} by ${MountType}${MountType === 'virtiofs' ? less : ''}`;
  return [{ name: 'directories', ok: true, detail }];
}

async function engine({ paths }: Machine): Promise<Check[]> {
  // node:http, which other commands do without.
  const { askSocket } = await import('./supervisor/socket/ask.ts');
  const { path, url } = apiSocketOf(paths);
  try {
    const asked = Date.now();
    const { SystemTime } = (await askSocket(path, '/info', AbortSignal.timeout(10_000))) as {
      SystemTime: string;
    };
    const answered = Date.now();
    // The engine looked at its clock somewhere in between.
    const difference = Date.parse(SystemTime) - (asked + answered) / 2;
    const doubt = (answered - asked) / 2;
    return [
      { name: 'API socket', ok: true, detail: url },
      {
        name: 'clock',
        ok: Math.abs(difference) <= clockToleranceMs + doubt,
        detail: `${difference < 0 ? '-' : '+'}${(Math.abs(difference) / 1000).toFixed(3)} s, give or take ${(doubt / 1000).toFixed(3)} s`,
      },
    ];
  } catch (error) {
    return [{ name: 'API socket', ok: false, detail: `${url}: ${(error as Error).message}` }];
  }
}

async function context(store: MachineStore, { record }: Machine): Promise<Check> {
  const name = contextName(record.Name);
  try {
    const owner = await contextOwner(store, record.Name);
    const isCurrent = (await currentContext(dockerConfig())) === name;
    const detail = {
      ours: `${name}${isCurrent ? ' (current)' : ''}`,
      nobody: `"${name}" is missing; machine use ${record.Name} makes it`,
      foreign: `"${name}" is somebody else's; docker context rm ${name} makes room`,
    }[owner];
    return { name: 'docker context', ok: owner === 'ours', detail };
  } catch (error) {
    return { name: 'docker context', ok: false, detail: (error as Error).message };
  }
}

async function certificates({ paths, record }: Machine): Promise<Check[]> {
  const check = async (name: string, path: string, help: string): Promise<Check[]> => {
    const pem = await readFile(path, 'utf8').catch(() => null);
    if (pem === null) return [];
    const days = daysLeft(pem);
    const ok = days > renewalDays;
    return [{ name, ok, detail: `${days} days left${ok ? '' : `; ${help}`}` }];
  };
  return [
    ...(await check('client certificate', paths.cert, `machine env ${record.Name} renews it`)),
    ...(await check('engine certificate', paths.serverCert, `machine restart ${record.Name} renews it`)),
  ];
}
