import type { MachinePaths } from '../../provisioning/paths.ts';
import type { SshTarget } from '../../provisioning/ssh/target.ts';

/** A server of this computer that passes for the machine `dev`. */
export function localSshTarget({ sshKey, knownHosts }: MachinePaths, port: number): SshTarget {
  return { host: '127.0.0.1', port, user: 'root', identity: sshKey, knownHosts, alias: 'machine-dev' };
}
