import { setTimeout as delay } from 'node:timers/promises';
import { FailedPrecondition, Unavailable } from '../../drivers/errors.ts';
import { identify } from '../../drivers/process-identity.ts';
import { acquireLock } from '../lock.ts';
import type { Machine } from '../machine.ts';
import type { MachineStore } from '../machine-store.ts';
import { keepRunning } from './keep-running.ts';
import { LogFile } from './log.ts';
import type { Service } from './service.ts';
import { services as allServices } from './services.ts';
import { Sleep } from './sleep.ts';
import { SupervisorFile, supervisorResource } from './state.ts';

/** Two that were started at once both try; the one that is late gives up after this. */
const lockDeadlineMs = 3000;
/** When its services have come up, what that has left behind is collected: 20 MiB, which V8 would keep. */
const tidyAfterMs = 5000;
/** For services to free what they have. */
const endDeadlineMs = 5000;

export interface SuperviseOptions {
  readonly signal: AbortSignal;
  readonly services?: readonly Service[];
}

/**
 * The whole life of a machine's supervisor: runs its services until the machine is off or `signal` aborts. Returns
 * when the machine has a supervisor already. Throws FailedPrecondition for a machine that cannot have one.
 */
export async function supervise(
  store: MachineStore,
  machine: Machine,
  { signal, services = allServices }: SuperviseOptions,
): Promise<void> {
  const { paths, driver, record } = machine;
  if (driver.whenOff === undefined)
    throw new FailedPrecondition(`machines of driver ${driver.name} have no supervisor`);
  const lock = await acquireLock(store.paths.locks, supervisorResource(record.Name), {
    signal,
    timeoutMs: lockDeadlineMs,
  }).catch((error: unknown) => {
    if (error instanceof Unavailable) return null;
    throw error;
  });
  if (lock === null) return;
  await using _lock = lock;
  const log = new LogFile(paths);
  const own = log.of('supervisor');
  const file = new SupervisorFile(
    paths.supervisor,
    (await identify(process.pid))!,
    services.map((service) => service.name),
  );
  await file.write();
  own.info(`process ${process.pid} supervises`);
  const tidying = setTimeout(() => globalThis.gc?.(), tidyAfterMs);
  try {
    own.info(`ends: ${await runAll(machine, services, { signal, file, log })}`);
  } finally {
    clearTimeout(tidying);
    await file.remove();
  }
}

/** Resolves with why it is over. */
async function runAll(
  machine: Machine,
  services: readonly Service[],
  { signal, file, log }: { signal: AbortSignal; file: SupervisorFile; log: LogFile },
): Promise<string> {
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const off = machine.driver.whenOff!(machine.handle, { signal }).then(
    () => 'the machine is off',
    (error: unknown) => (signal.aborted ? 'it was told to' : `the machine cannot be watched (${error})`),
  );
  const sleep = new Sleep();
  const running = services.map((service) =>
    keepRunning(service, {
      machine,
      signal: until,
      log: log.of(service.name),
      sleep,
      onState: (state) => void file.set(service.name, state).catch(() => {}),
    }),
  );
  const why = await off;
  ended.abort(new Error(why));
  const freed = new AbortController();
  const deadline = delay(endDeadlineMs, undefined, { signal: freed.signal }).catch(() => {});
  await Promise.race([Promise.all(running), deadline]);
  freed.abort();
  return why;
}
