import type { BootConfig, HostSettings } from '../guest/wire/index.ts';
import type { MachineCertificates } from './certs/machine-certificates.ts';
import type { MachineRecord } from './machine-record.ts';
import type { SshMaterial } from './ssh/keys.ts';

/** What a machine is told at power-on. Holds private keys: only ever handed to the driver, never logged. */
export function bootConfig(
  record: MachineRecord,
  {
    ssh,
    tls,
    host,
  }: { readonly ssh: SshMaterial; readonly tls: MachineCertificates; readonly host: HostSettings },
): BootConfig {
  const engine = record.HostOptions.EngineOptions;
  return {
    version: 1,
    hostname: record.Name,
    ssh: { authorizedKeys: [ssh.publicKey], hostKey: ssh.hostKey },
    tls: { ca: tls.ca, cert: tls.server.cert, key: tls.server.key },
    engine: {
      labels: engine.Labels,
      insecureRegistries: engine.InsecureRegistry,
      registryMirrors: engine.RegistryMirror,
      env: Object.fromEntries(engine.Env.map((line) => splitOnce(line))),
    },
    host,
    directories: record.Mounts.map(({ Guest, ReadOnly }) => ({ path: Guest, readonly: ReadOnly })),
    directoriesBy: record.MountType,
  };
}

/** `A=b=c` is A with the value `b=c`. */
function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}
