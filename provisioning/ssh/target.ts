import { FailedPrecondition } from '../../drivers/errors.ts';
import type { Machine } from '../machine.ts';
import { hostAlias } from './host-alias.ts';

/** Everything that a client must know to reach a machine's SSH server and to be sure it is the right one. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Private key file. */
  readonly identity: string;
  readonly knownHosts: string;
  /** The name in `knownHosts`. */
  readonly alias: string;
}

/** Throws FailedPrecondition when the machine does not run or has no SSH server. */
export async function sshTarget({ record, driver, handle, paths }: Machine): Promise<SshTarget> {
  const { ssh } = await driver.endpoints(handle);
  if (ssh === undefined)
    throw new FailedPrecondition(`driver ${driver.name} gives machine "${record.Name}" no SSH server`);
  return { ...ssh, identity: paths.sshKey, knownHosts: paths.knownHosts, alias: hostAlias(record.Name) };
}
