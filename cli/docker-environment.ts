import { readFile } from 'node:fs/promises';
import { daysLeft, expiresSoon } from '../provisioning/certs/expiry.ts';
import { runningEndpoints } from '../provisioning/endpoints.ts';
import { type Machine, openMachine } from '../provisioning/machine.ts';
import type { MachineStore } from '../provisioning/machine-store.ts';

export interface DockerEnvironment {
  readonly environment: {
    readonly DOCKER_TLS_VERIFY: string;
    readonly DOCKER_HOST: string;
    readonly DOCKER_CERT_PATH: string;
    readonly DOCKER_MACHINE_NAME: string;
  };
  readonly ip: string;
  readonly machine: Machine;
}

/**
 * What a Docker client must be told to use a machine, its client certificate renewed if it is about to
 * expire. Throws NotFound, or FailedPrecondition when the machine does not run.
 */
export async function dockerEnvironment(store: MachineStore, name: string): Promise<DockerEnvironment> {
  const machine = await openMachine(store, name);
  const { url, ip } = await runningEndpoints(store, machine);
  await keepCertificatesFresh(store, machine);
  return {
    environment: {
      DOCKER_TLS_VERIFY: '1',
      DOCKER_HOST: url,
      DOCKER_CERT_PATH: machine.paths.directory,
      DOCKER_MACHINE_NAME: name,
    },
    ip,
    machine,
  };
}

async function keepCertificatesFresh(store: MachineStore, { paths, record }: Machine): Promise<void> {
  const [client, server] = await Promise.all([
    readFile(paths.cert, 'utf8'),
    readFile(paths.serverCert, 'utf8'),
  ]);
  if (expiresSoon(client)) {
    const { renewClientCertificate } = await import('../provisioning/certs/machine-certificates.ts');
    await renewClientCertificate(store.paths, paths);
    process.stderr.write('the client certificate was about to expire and is renewed\n');
  }
  if (expiresSoon(server))
    process.stderr.write(
      `the engine's certificate expires in ${daysLeft(server)} days; machine restart ${record.Name} renews it\n`,
    );
}
