import { bootConfig } from './boot-config.ts';
import { machineCertificates } from './certs/machine-certificates.ts';
import { hostAuthorities } from './host-authorities.ts';
import { hostProxies } from './host-proxies.ts';
import type { Machine } from './machine.ts';
import type { MachineStore } from './machine-store.ts';
import { sshMaterial } from './ssh/keys.ts';

/**
 * Brings a machine's keys and certificates to what they must be before it starts, and returns the boot
 * config (JSON) that tells it of them. Safe to repeat.
 */
export async function prepareTrust(
  store: MachineStore,
  { paths, record }: Machine,
  signal: AbortSignal,
): Promise<string> {
  const makingTls = machineCertificates(store.paths, paths, record, { signal });
  const makingSsh = sshMaterial(paths, record.Name);
  // Nobody writes any more when this fails: the caller may remove the directory at once.
  await Promise.allSettled([makingTls, makingSsh]);
  const [tls, ssh] = await Promise.all([makingTls, makingSsh]);
  const host = { proxies: hostProxies(process.env), authorities: await hostAuthorities() };
  return JSON.stringify(bootConfig(record, { ssh, tls, host }));
}
