import { Timeout } from '../../drivers/errors.ts';
import { machineOf } from '../../provisioning/machine.ts';
import type { HostOptions } from '../../provisioning/machine-record.ts';
import type { MachineStore } from '../../provisioning/machine-store.ts';
import { type MachineState, machineStatus } from '../../provisioning/status.ts';
import { reviveSupervisor } from '../../provisioning/supervisor/revive.ts';
import { apiSocketOf } from '../../provisioning/supervisor/socket/path.ts';

/** One line of `machine ls`; the names are those of docker-machine's templates. */
export interface ListedMachine {
  readonly Name: string;
  /** `*` for the one that `DOCKER_HOST` names, else `-`. */
  readonly Active: string;
  readonly ActiveHost: boolean;
  readonly ActiveSwarm: boolean;
  readonly DriverName: string;
  readonly State: MachineState;
  readonly URL: string;
  readonly Swarm: string;
  readonly SwarmOptions: HostOptions['SwarmOptions'] | null;
  readonly EngineOptions: HostOptions['EngineOptions'] | null;
  readonly DockerVersion: string;
  readonly Error: string;
  /** Milliseconds. */
  readonly ResponseTime: number;
}

export interface ListOptions {
  readonly timeoutMs: number;
  /** Defaults to `DOCKER_HOST`. */
  readonly dockerHost?: string | undefined;
}

/**
 * All machines, asked at once; one that does not answer in time is listed as `Timeout`, one that cannot be
 * read as `Error`. Nothing outside this computer is asked, except engines that never said who they are.
 */
export async function listMachines(
  store: MachineStore,
  { timeoutMs, dockerHost = process.env.DOCKER_HOST }: ListOptions,
): Promise<ListedMachine[]> {
  const names = await store.names();
  return Promise.all(
    names.map(async (name) => {
      const started = performance.now();
      const row = await describe(store, name, timeoutMs).catch((error: Error) => ({
        ...unknown(name),
        State: error instanceof Timeout ? ('Timeout' as const) : ('Error' as const),
        Error: error.message.split('\n')[0]!,
      }));
      const ways = [row.URL, apiSocketOf(store.machine(name)).url];
      const active = row.URL !== '' && ways.some((url) => url === dockerHost);
      return {
        ...row,
        ActiveHost: active,
        Active: active ? '*' : '-',
        ResponseTime: Math.round(performance.now() - started),
      };
    }),
  );
}

async function describe(store: MachineStore, name: string, timeoutMs: number): Promise<ListedMachine> {
  const record = await store.load(name);
  const machine = await machineOf(store, record);
  const { EngineOptions, SwarmOptions } = record.HostOptions;
  const known = {
    ...unknown(name),
    DriverName: record.DriverName,
    EngineOptions,
    SwarmOptions,
    Swarm: swarmText(SwarmOptions),
  };
  const status = await within(timeoutMs, machineStatus(store, machine));
  if (status === null) return { ...known, State: 'Timeout' };
  const { state, errors } = status;
  if (state !== 'Running') return { ...known, State: state, Error: errors.join('; ') };

  const { url } = await machine.driver.endpoints(machine.handle);
  await reviveSupervisor(store, machine);
  const running = { ...known, State: state, URL: url };
  if (record.Engine !== null) return { ...running, DockerVersion: `v${record.Engine.Version}` };
  try {
    const { engineVersion } = await import('../../provisioning/engine-api.ts');
    const { version } = await engineVersion(url, machine.paths, { signal: AbortSignal.timeout(timeoutMs) });
    return { ...running, DockerVersion: `v${version}` };
  } catch (error) {
    return { ...running, DockerVersion: 'Unknown', Error: (error as Error).message };
  }
}

function unknown(name: string): ListedMachine {
  return {
    Name: name,
    Active: '-',
    ActiveHost: false,
    ActiveSwarm: false,
    DriverName: '',
    State: 'Error',
    URL: '',
    Swarm: '',
    SwarmOptions: null,
    EngineOptions: null,
    DockerVersion: '',
    Error: '',
    ResponseTime: 0,
  };
}

function swarmText(swarm: HostOptions['SwarmOptions']): string {
  if (!swarm.IsSwarm) return '';
  return swarm.Master ? 'master' : 'node';
}

/** Null when `work` takes longer; a driver's status has no signal, so it is left to itself. */
async function within<Result>(ms: number, work: Promise<Result>): Promise<Result | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
