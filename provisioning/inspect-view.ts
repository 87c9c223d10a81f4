import type { Endpoints } from '../drivers/driver.ts';
import type { MachineRecord } from './machine-record.ts';
import type { MachinePaths, StorePaths } from './paths.ts';
import type { MachineStatus } from './status.ts';
import type { SupervisorState } from './supervisor/state.ts';

/**
 * What `machine inspect` shows: the record, and what docker-machine kept in it but follows from elsewhere
 * here: paths, addresses and the state. `IPAddress` and the rest of the way there are empty while it does not run.
 */
export function inspectView(
  record: MachineRecord,
  {
    store,
    paths,
    status,
    endpoints,
    supervisor,
  }: {
    readonly store: StorePaths;
    readonly paths: MachinePaths;
    readonly status: MachineStatus;
    readonly endpoints: Endpoints | null;
    readonly supervisor: SupervisorState | null;
  },
): Readonly<Record<string, unknown>> {
  const { HostOptions, Driver, ...rest } = record;
  return {
    ...rest,
    State: status.state,
    Errors: status.errors,
    URL: endpoints?.url ?? '',
    Supervisor: supervisorView(supervisor),
    Driver: {
      ...(typeof Driver === 'object' ? Driver : { state: Driver }),
      MachineName: record.Name,
      StorePath: store.root,
      IPAddress: endpoints?.ip ?? '',
      SSHUser: endpoints?.ssh?.user ?? '',
      SSHPort: endpoints?.ssh?.port ?? 0,
      SSHKeyPath: paths.sshKey,
    },
    HostOptions: {
      ...HostOptions,
      AuthOptions: {
        CertDir: store.certs.directory,
        CaCertPath: store.certs.ca,
        CaPrivateKeyPath: store.certs.caKey,
        ClientCertPath: store.certs.cert,
        ClientKeyPath: store.certs.key,
        ServerCertPath: paths.serverCert,
        ServerKeyPath: paths.serverKey,
        StorePath: paths.directory,
        ...HostOptions.AuthOptions,
      },
    },
  };
}

/** Null when nobody supervises the machine. */
export function supervisorView(supervisor: SupervisorState | null) {
  if (supervisor === null) return null;
  const services = Object.entries(supervisor.services).map(([Name, { ready, error }]) => ({
    Name,
    Ready: ready,
    Error: error ?? '',
  }));
  return { Pid: supervisor.pid, Services: services };
}
