import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedAddress } from '../dns/dns-server.ts';
import type { HostsEntry } from './hosts-file.ts';
import { appendHosts, changeHosts, renderHosts, withoutName } from './hosts-file.ts';
import {
  containerResolver,
  parseResolvConf,
  type ResolverSettings,
  renderResolvConf,
} from './resolv-conf.ts';

/**
 * A container's `hosts` and `resolv.conf`. They are written in place, not renamed over: a running container
 * has them bind mounted. What was last written to `resolv.conf` stands beside it: a container that changed
 * its own keeps it.
 */
export interface FilesRequest {
  readonly directory: string;
  readonly extra: readonly HostsEntry[];
  readonly dns: ResolverSettings;
}

const written = 'resolv.conf.written';

/** For a network of its own; `resolver` as {@link upstreamResolver} or {@link embeddedResolver} gave it. */
export async function writeOwnFiles(
  request: Omit<FilesRequest, 'dns'> & {
    readonly own: readonly HostsEntry[];
    readonly resolver: ResolverSettings;
  },
): Promise<void> {
  const hosts = renderHosts(request.extra, request.own);
  await write(request.directory, hosts, renderResolvConf(request.resolver));
}

/** A running container's networks have changed: addresses that it has, or has no more, and who to ask. */
export async function changeOwnFiles(request: {
  readonly directory: string;
  readonly added: readonly HostsEntry[];
  readonly removed: readonly string[];
  readonly resolver: ResolverSettings;
}): Promise<void> {
  const { directory, added, removed } = request;
  await editHosts(directory, { added, removed });
  const resolvConf = join(directory, 'resolv.conf');
  const ours = await readOrEmpty(join(directory, written));
  if ((await readOrEmpty(resolvConf)) === ours)
    await writeResolvConf(directory, renderResolvConf(request.resolver));
}

/** Changes a container's hosts file, if it is there. */
export async function editHosts(
  directory: string,
  change: { readonly added: readonly HostsEntry[]; readonly removed: readonly string[] },
): Promise<void> {
  const hosts = join(directory, 'hosts');
  const text = await readOrEmpty(hosts);
  if (text !== '') await writeFile(hosts, changeHosts(text, change));
}

/** A name of another container, the entry's first, is that of another address now. */
export async function replaceHost(directory: string, entry: HostsEntry): Promise<void> {
  const hosts = join(directory, 'hosts');
  const text = await readFile(hosts, 'utf8');
  const changed = withoutName(text, entry.names[0]!);
  if (changed !== text) await writeFile(hosts, appendHosts(changed, [entry]));
}

/** The entry of another container, by its first name, if there is one. */
export async function forgetHost(directory: string, name: string): Promise<void> {
  const hosts = join(directory, 'hosts');
  const text = await readOrEmpty(hosts);
  const changed = withoutName(text, name);
  if (changed !== text) await writeFile(hosts, changed);
}

/** With the embedded server first in line. Names without a dot are neighbours: they are asked for as they are. */
export function embeddedResolver(upstream: ResolverSettings, server = embeddedAddress): ResolverSettings {
  const { search, options } = upstream;
  const dots = options.some((option) => option.startsWith('ndots:')) ? [] : ['ndots:0'];
  return { servers: [server], search, options: [...options, ...dots] };
}

/** For the host's network: the host's files, as they are now. */
export async function writeHostFiles(request: FilesRequest): Promise<void> {
  const { servers, search, options } = request.dns;
  const asked = servers.length + search.length + options.length > 0;
  const hosts = appendHosts(await readOrEmpty('/etc/hosts'), request.extra);
  const resolvConf = await readOrEmpty('/etc/resolv.conf');
  const host = parseResolvConf(resolvConf);
  const seen = asked ? renderResolvConf(containerResolver(host, request.dns, host.servers)) : resolvConf;
  await write(request.directory, hosts, seen);
}

/** For another container's network: that one's files. */
export async function copyFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of ['hosts', 'resolv.conf']) await copyFile(join(from, name), join(to, name));
}

/** Where queries of a container with a network of its own go in the end. */
export async function upstreamResolver(asked: ResolverSettings): Promise<ResolverSettings> {
  // systemd-resolved puts its own loopback address into resolv.conf and the real servers elsewhere.
  let host = parseResolvConf(await readOrEmpty('/etc/resolv.conf'));
  if (host.servers.every((server) => server.startsWith('127.'))) {
    const real = parseResolvConf(await readOrEmpty('/run/systemd/resolve/resolv.conf'));
    if (real.servers.length > 0) host = real;
  }
  return containerResolver(host, asked, publicServers);
}

/** When the host names none that a container can reach; the same as other engines take. */
const publicServers = ['8.8.8.8', '8.8.4.4'];

async function write(directory: string, hosts: string, resolvConf: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'hosts'), hosts, { mode: 0o644 });
  await writeResolvConf(directory, resolvConf);
}

async function writeResolvConf(directory: string, text: string): Promise<void> {
  await writeFile(join(directory, written), text, { mode: 0o644 });
  await writeFile(join(directory, 'resolv.conf'), text, { mode: 0o644 });
}

async function readOrEmpty(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}
