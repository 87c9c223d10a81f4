import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Every file of the store, in one place. The shapes of `certs/` and `machines/` are docker-machine's.
 *
 * ```
 * <store>/certs/ca.pem, ca-key.pem        the store's certificate authority, 10 years
 * <store>/certs/cert.pem, key.pem         its client certificate, renewed before it expires
 * <store>/machines/NAME/config.json       the machine's record (machine-record.ts), written last of all
 *                       config.json.bak   the record as it was before a migration
 *                       ca.pem cert.pem key.pem       what a Docker client needs: DOCKER_CERT_PATH
 *                       server.pem server-key.pem     the engine's TLS identity
 *                       id_ed25519 id_ed25519.pub     the key that opens the machine's SSH server
 *                       ssh_host_ed25519_key          the SSH server's own key, made here
 *                       known_hosts       pins that key under the name `machine-NAME`
 *                       ssh_config        for ssh -F: how to reach it as `machine-NAME`; written by each machine mount
 *                       ssh-agent         where the user's ssh-agent was when the machine was last started
 *                       also-at           where the supervisor listens besides docker.sock: machine use --system on Windows
 *                       file-owners       whom containers gave files of this computer to (directories/owners)
 *                       supervisor.json   the process that supervises it, and how its services are; only while it runs
 *                       supervisor.log    what that has to say, at most 1 MiB; supervisor.log.1 = what was before
 *                       (everything else) the driver's: disks, sockets, pid files, console log
 * <store>/locks/                          claims (lock.ts); those of dead processes mean nothing
 * <store>/cache/                          OS images and downloads (images/paths.ts)
 * ```
 */
export interface StorePaths {
  readonly root: string;
  readonly machines: string;
  readonly locks: string;
  readonly cache: string;
  readonly certs: {
    readonly directory: string;
    readonly ca: string;
    readonly caKey: string;
    readonly cert: string;
    readonly key: string;
  };
  machine(name: string): MachinePaths;
}

export interface MachinePaths {
  readonly directory: string;
  readonly config: string;
  readonly configBackup: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly sshKey: string;
  readonly sshPublicKey: string;
  readonly sshHostKey: string;
  readonly knownHosts: string;
  readonly sshConfig: string;
  readonly sshAgent: string;
  readonly alsoAt: string;
  readonly fileOwners: string;
  readonly supervisor: string;
  readonly supervisorLog: string;
  readonly previousSupervisorLog: string;
}

/** Files that a user may keep elsewhere than in `<store>/certs` (docker-machine's `--tls-*` flags). */
export interface CertificateOverrides {
  readonly ca?: string | undefined;
  readonly caKey?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** `MACHINE_STORAGE_PATH`, else `~/.machine`. Not the system's data directory: its path is too long for sockets on macOS. */
export function defaultStoreRoot(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.MACHINE_STORAGE_PATH || join(homedir(), '.machine'));
}

export function storePaths(
  root: string,
  { certificates = {}, cache }: { certificates?: CertificateOverrides; cache?: string | undefined } = {},
): StorePaths {
  const certs = join(root, 'certs');
  const machines = join(root, 'machines');
  return {
    root,
    machines,
    locks: join(root, 'locks'),
    cache: cache || join(root, 'cache'),
    certs: {
      directory: certs,
      ca: certificates.ca ?? join(certs, 'ca.pem'),
      caKey: certificates.caKey ?? join(certs, 'ca-key.pem'),
      cert: certificates.cert ?? join(certs, 'cert.pem'),
      key: certificates.key ?? join(certs, 'key.pem'),
    },
    machine: (name) => machinePaths(join(machines, name)),
  };
}

function machinePaths(directory: string): MachinePaths {
  const file = (name: string) => join(directory, name);
  return {
    directory,
    config: file('config.json'),
    configBackup: file('config.json.bak'),
    ca: file('ca.pem'),
    cert: file('cert.pem'),
    key: file('key.pem'),
    serverCert: file('server.pem'),
    serverKey: file('server-key.pem'),
    sshKey: file('id_ed25519'),
    sshPublicKey: file('id_ed25519.pub'),
    sshHostKey: file('ssh_host_ed25519_key'),
    knownHosts: file('known_hosts'),
    sshConfig: file('ssh_config'),
    sshAgent: file('ssh-agent'),
    alsoAt: file('also-at'),
    fileOwners: file('file-owners'),
    supervisor: file('supervisor.json'),
    supervisorLog: file('supervisor.log'),
    previousSupervisorLog: file('supervisor.log.1'),
  };
}
