import { hostName } from '../../wire/index.ts';
import type { HostsEntry } from './hosts-file.ts';

/** By which containers of a machine reach the user's computer, as in Docker Desktop. */
export const hostNames: readonly string[] = [hostName, 'gateway.docker.internal'];

/** Their line in a container's hosts file: those of them that the user has not given away (`--add-host`). */
export function hostEntries(address: string | null, asked: readonly HostsEntry[]): HostsEntry[] {
  const given = new Set(asked.flatMap(({ names }) => names));
  const names = hostNames.filter((name) => !given.has(name));
  return address === null || names.length === 0 ? [] : [{ address, names }];
}
