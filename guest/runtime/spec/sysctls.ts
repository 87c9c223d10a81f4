import { existsSync } from 'node:fs';
import { InvalidParameter } from '../../errors.ts';

/** Kernel parameters that belong to a namespace, and so may differ in a container (namespaces(7)). */
const owners: readonly (readonly [pattern: RegExp, namespace: 'network' | 'ipc' | 'uts'])[] = [
  [/^net\./, 'network'],
  [/^kernel\.(msg(max|mnb|mni)|sem|shm(all|max|mni)|shm_rmid_forced)$/, 'ipc'],
  [/^fs\.mqueue\./, 'ipc'],
  [/^kernel\.(hostname|domainname)$/, 'uts'],
];

/**
 * `--sysctl`: refuses what would change the host, in the OCI runtimes' words. `shared` names the namespaces
 * that are the host's. Throws InvalidParameter.
 */
export function checkSysctls(
  sysctls: Readonly<Record<string, string>>,
  shared: Readonly<Record<'network' | 'ipc' | 'uts', boolean>>,
): void {
  for (const name of Object.keys(sysctls)) {
    const namespace = owners.find(([pattern]) => pattern.test(name.replaceAll('/', '.')))?.[1];
    if (!namespace)
      throw new InvalidParameter(
        `sysctl "${name}" is not in a separate kernel namespace: it would change every container`,
      );
    if (shared[namespace])
      throw new InvalidParameter(
        `sysctl "${name}" not allowed in host ${namespace === 'network' ? 'network' : namespace.toUpperCase()} namespace`,
      );
    // A container's own name is --hostname and --domainname.
    if (namespace === 'uts')
      throw new InvalidParameter(`sysctl "${name}" conflicts with --hostname and --domainname; use those`);
  }
}

/**
 * For every network namespace that is made for a container, as with dockerd: any user may ping and listen on
 * ports below 1024, which hurts nobody else there.
 */
export function defaultSysctls(exists: (name: string) => boolean = sysctlExists): Record<string, string> {
  const defaults = {
    'net.ipv4.ping_group_range': '0 2147483647',
    'net.ipv4.ip_unprivileged_port_start': '0',
  };
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => exists(name)));
}

function sysctlExists(name: string): boolean {
  return existsSync(`/proc/sys/${name.replaceAll('.', '/')}`);
}
